package io.holdfast.manager.seccomp;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.unit.settings.SandboxSettings;
import io.holdfast.manager.unit.settings.SandboxSettings.Flag;
import io.holdfast.manager.unit.settings.SystemCallSettings;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;

/**
 * The filters of system calls of one manager. A filter is compiled once for all units and starts
 * with the same settings. Safe for use by several threads; blocking.
 */
public final class SystemCallFilters {
    /** The bytes of an instruction of a filter ({@code linux/filter.h}). */
    static final int INSTRUCTION_BYTES = 8;

    /** BPF_MAXINSNS: the kernel accepts no longer program. */
    static final int MAX_INSTRUCTIONS = 4096;

    /** MAX_INSNS_PER_PATH: nor more in all the programs of a process, each of which costs 4. */
    private static final int MAX_ALL = 32_768;

    private static final int COST = 4;

    /** The settings of which a filter is made. */
    private record Key(Set<Flag> flags, SystemCallSettings calls) {}

    /** The most recently used last. */
    private final SequencedMap<Key, List<byte[]>> compiled = new LinkedHashMap<>(16, 0.75f, true);

    private int compilations;

    /**
     * {@return the programs of the filter for these settings, in the order in which a process
     * installs them; none if they restrict no system call}
     *
     * @throws ErrnoException ENOENT if libseccomp is not installed, E2BIG if a program is longer
     *     than the kernel accepts
     */
    public synchronized List<byte[]> programs(SandboxSettings settings) {
        Key key = new Key(SystemCallRules.flags(settings), settings.systemCalls());
        if (key.flags.isEmpty() && key.calls.directives().isEmpty()) {
            return List.of();
        }
        List<byte[]> known = compiled.get(key);
        if (known == null) {
            known = checked(SystemCallRules.programs(settings));
            compilations++;
            compiled.put(key, known);
            if (compiled.size() > ManagerLimits.SYSTEM_CALL_FILTERS.intValue()) {
                compiled.pollFirstEntry();
            }
        }
        return known;
    }

    /** Returns how many filters were compiled so far. */
    public synchronized int compilations() {
        return compilations;
    }

    /** {@return the directives of these settings that restrict system calls, sorted} */
    public static Set<String> directives(SandboxSettings settings) {
        Set<String> directives = new TreeSet<>(settings.systemCalls().directives());
        SystemCallRules.flags(settings).forEach(flag -> directives.add(flag.directive()));
        return directives;
    }

    /**
     * Returns whether a process with this filter can drop its own capabilities. systemd asks for
     * the same calls.
     */
    public static boolean permitsDropping(SandboxSettings settings) {
        return settings.systemCalls().filter().stream()
                .allMatch(list ->
                        List.of("capget", "capset", "prctl").stream().allMatch(list::permits));
    }

    /** Refuses programs that the kernel would refuse. */
    static List<byte[]> checked(List<byte[]> programs) {
        int all = 0;
        for (byte[] program : programs) {
            int length = program.length / INSTRUCTION_BYTES;
            all += length + COST;
            if (length > MAX_INSTRUCTIONS || all > MAX_ALL) {
                throw new ErrnoException(
                        "seccomp",
                        Math.max(all, length) + " instructions",
                        Errno.E2BIG,
                        "the kernel accepts "
                                + MAX_INSTRUCTIONS
                                + " in a program; name groups instead of single calls");
            }
        }
        return List.copyOf(programs);
    }
}
