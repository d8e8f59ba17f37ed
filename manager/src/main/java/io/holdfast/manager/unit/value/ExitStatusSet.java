package io.holdfast.manager.unit.value;

import io.holdfast.core.Signal;
import io.holdfast.manager.unit.Quote;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A set of exit statuses and signals, as {@code SuccessExitStatus=} lists them. Immutable.
 *
 * @param statuses 0 to 255
 * @param signals by number
 */
public record ExitStatusSet(Set<Integer> statuses, Set<Integer> signals) {
    /** The empty set. */
    public static final ExitStatusSet EMPTY = new ExitStatusSet(Set.of(), Set.of());

    private static final Map<String, Integer> NAMES = names();

    public ExitStatusSet {
        statuses = Collections.unmodifiableSet(new TreeSet<>(statuses));
        signals = Collections.unmodifiableSet(new TreeSet<>(signals));
    }

    /**
     * Returns whether the set has an exit status.
     *
     * @param status 0 to 255
     */
    public boolean hasStatus(int status) {
        return statuses.contains(status);
    }

    public boolean hasSignal(Signal signal) {
        return signals.contains(signal.number());
    }

    /** {@return whether there is neither a status nor a signal} */
    public boolean isEmpty() {
        return statuses.isEmpty() && signals.isEmpty();
    }

    /**
     * Returns a copy with one more word: a status by number or name ({@code TEMPFAIL}), or a
     * signal.
     *
     * @throws IllegalArgumentException if it is neither
     */
    public ExitStatusSet with(String word) {
        Set<Integer> moreStatuses = new TreeSet<>(statuses);
        Set<Integer> moreSignals = new TreeSet<>(signals);
        Integer named = NAMES.get(word);
        if (named != null) {
            moreStatuses.add(named);
        } else if (word.matches("[0-9]+")) {
            moreStatuses.add(Scalars.parseInt(word, 0, 255));
        } else {
            try {
                moreSignals.add(Signal.of(word).number());
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        Quote.of(word) + " is neither an exit status (0-255) nor a signal", e);
            }
        }
        return new ExitStatusSet(moreStatuses, moreSignals);
    }

    /** Returns the name of an exit status: {@code EXEC} for 203. */
    public static Optional<String> nameOf(int status) {
        return NAMES.entrySet().stream()
                .filter(name -> name.getValue() == status)
                .map(Map.Entry::getKey)
                .findFirst();
    }

    /**
     * Returns the names of {@code systemd-analyze exit-status}: C library, sysexits.h, then
     * systemd's.
     */
    private static Map<String, Integer> names() {
        Map<String, Integer> names = new TreeMap<>();
        String[] runs = {
            "0 SUCCESS FAILURE INVALIDARGUMENT NOTIMPLEMENTED NOPERMISSION NOTINSTALLED"
                    + " NOTCONFIGURED NOTRUNNING",
            "64 USAGE DATAERR NOINPUT NOUSER NOHOST UNAVAILABLE SOFTWARE OSERR OSFILE CANTCREAT"
                    + " IOERR TEMPFAIL PROTOCOL NOPERM CONFIG",
            "200 CHDIR NICE FDS EXEC MEMORY LIMITS OOM_ADJUST SIGNAL_MASK STDIN STDOUT CHROOT"
                    + " IOPRIO TIMERSLACK SECUREBITS SETSCHEDULER CPUAFFINITY GROUP USER"
                    + " CAPABILITIES CGROUP SETSID CONFIRM STDERR",
            "224 PAM NETWORK NAMESPACE NO_NEW_PRIVILEGES SECCOMP SELINUX_CONTEXT PERSONALITY"
                    + " APPARMOR ADDRESS_FAMILIES RUNTIME_DIRECTORY",
            "235 CHOWN SMACK_PROCESS_LABEL KEYRING STATE_DIRECTORY CACHE_DIRECTORY LOGS_DIRECTORY"
                    + " CONFIGURATION_DIRECTORY NUMA_POLICY CREDENTIALS BPF KSM",
            "255 EXCEPTION",
        };
        for (String run : runs) {
            String[] words = run.split(" ");
            int first = Integer.parseInt(words[0]);
            for (int i = 1; i < words.length; i++) {
                names.put(words[i], first + i - 1);
            }
        }
        return names;
    }
}
