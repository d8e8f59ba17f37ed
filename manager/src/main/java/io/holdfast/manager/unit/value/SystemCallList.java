package io.holdfast.manager.unit.value;

import io.holdfast.core.Errno;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The value of {@code SystemCallFilter=} or {@code SystemCallLog=}.
 *
 * @param permits whether the directive names what is permitted (or logged): its first line does not
 *     begin with {@code ~}. Otherwise it names what is not.
 * @param calls the error of each listed system call, {@link #NO_ERROR} if it has none of its own.
 *     In a list of permitted calls, one with an error is not permitted.
 */
public record SystemCallList(boolean permits, SortedMap<String, Integer> calls) {
    /** The call has no error of its own. */
    public static final int NO_ERROR = -1;

    /**
     * Instead of an error, the process is killed; the number that systemd's D-Bus interface has.
     */
    public static final int KILL = Integer.MAX_VALUE - 1;

    private static final int HIGHEST_ERROR = 4095;

    /** The numbers of errors that no part of Holdfast meets itself, and of second names. */
    private static final Map<String, Integer> OTHER_ERRORS =
            Stream.of(
                            """
                            EWOULDBLOCK=11 ENOTBLK=15 EDOM=33 EDEADLOCK=35 ENOLCK=37 ENOMSG=42
                            EIDRM=43 ECHRNG=44 EL2NSYNC=45 EL3HLT=46 EL3RST=47 ELNRNG=48 ENOCSI=50
                            EL2HLT=51 EBADE=52 EBADR=53 EXFULL=54 ENOANO=55 EBADRQC=56 EBADSLT=57
                            EBFONT=59 ENOSTR=60 ETIME=62 ENOSR=63 ENONET=64 ENOPKG=65 ENOLINK=67
                            EADV=68 ESRMNT=69 ECOMM=70 EMULTIHOP=72 EDOTDOT=73 EBADMSG=74
                            ENOTUNIQ=76 EBADFD=77 EREMCHG=78 ELIBACC=79 ELIBBAD=80 ELIBSCN=81
                            ELIBMAX=82 ELIBEXEC=83 EILSEQ=84 ERESTART=85 ESTRPIPE=86 ENOTSUP=95
                            EPFNOSUPPORT=96 ENETDOWN=100 ENETUNREACH=101 ENETRESET=102
                            EHOSTUNREACH=113 ENOTNAM=118 ENAVAIL=119 EISNAM=120 EREMOTEIO=121
                            ENOMEDIUM=123 EMEDIUMTYPE=124 ENOKEY=126 EKEYEXPIRED=127 EKEYREVOKED=128
                            EKEYREJECTED=129 EOWNERDEAD=130 ENOTRECOVERABLE=131 ERFKILL=132
                            """
                                    .strip()
                                    .split("\\s+"))
                    .map(word -> word.split("="))
                    .collect(Collectors.toUnmodifiableMap(w -> w[0], w -> Integer.parseInt(w[1])));

    private static final int ERRNO_NAMES = 134;

    public SystemCallList {
        calls = Collections.unmodifiableSortedMap(new TreeMap<>(calls));
    }

    /** {@return the list that permits what every process needs} */
    public static SystemCallList ofDefault() {
        SortedMap<String, Integer> calls = new TreeMap<>();
        SystemCallGroups.expanded("@default").forEach(name -> calls.put(name, NO_ERROR));
        return new SystemCallList(true, calls);
    }

    /** {@return the list that forbids nothing} */
    public static SystemCallList ofNothing(boolean permits) {
        return new SystemCallList(permits, new TreeMap<>());
    }

    /**
     * Returns the list with one more line.
     *
     * @param inverted whether the line begins with {@code ~}
     * @param words of the line: names or groups, each with {@code :ERROR} if it has an error
     * @param problems receives why a word is ignored
     */
    public SystemCallList with(boolean inverted, List<String> words, Consumer<String> problems) {
        SortedMap<String, Integer> next = new TreeMap<>(calls);
        for (String word : words) {
            try {
                change(next, inverted, word);
            } catch (IllegalArgumentException e) {
                problems.accept(String.valueOf(e.getMessage()));
            }
        }
        return new SystemCallList(permits, next);
    }

    private void change(SortedMap<String, Integer> next, boolean inverted, String word) {
        int colon = word.indexOf(':');
        String name = colon < 0 ? word : word.substring(0, colon);
        if (!SystemCallGroups.isKnown(name)) {
            throw Scalars.unknown(
                    "a system call or a group of system calls", name, SystemCallGroups.words());
        }
        int error = colon < 0 ? NO_ERROR : error(word.substring(colon + 1));
        if (!inverted && error != NO_ERROR) {
            throw new IllegalArgumentException(word + ": a permitted call has no error");
        }
        for (String call : SystemCallGroups.expanded(name)) {
            if (inverted != permits || error != NO_ERROR) {
                next.put(call, error);
            } else {
                next.remove(call);
            }
        }
    }

    /** Returns the list with a call that is permitted, whatever its lines say. */
    public SystemCallList permitting(String call) {
        SortedMap<String, Integer> next = new TreeMap<>(calls);
        if (permits) {
            next.put(call, NO_ERROR);
        } else {
            next.remove(call);
        }
        return new SystemCallList(permits, next);
    }

    /** Returns whether a process may make a system call. */
    public boolean permits(String call) {
        Integer error = calls.get(call);
        return permits ? error != null && error == NO_ERROR : error == null;
    }

    /**
     * Reads the error that a forbidden call returns: a name such as EPERM, a number, or {@code
     * kill}.
     *
     * @throws IllegalArgumentException if it is none of them
     */
    public static int error(String word) {
        if (word.equals("kill")) {
            return KILL;
        }
        Map<String, Integer> known = new HashMap<>(OTHER_ERRORS);
        for (int number = 1; number < ERRNO_NAMES; number++) {
            known.put(Errno.name(number), number);
        }
        if (known.containsKey(word)) {
            return known.get(word);
        }
        if (!word.startsWith("E")) {
            return Scalars.parseInt(word, 0, HIGHEST_ERROR);
        }
        throw Scalars.unknown("the name of an error", word, known.keySet());
    }

    /**
     * {@return the words of the property of the same name: without those that are not permitted}
     */
    public List<String> words() {
        return calls.entrySet().stream()
                .filter(call -> !permits || call.getValue() == NO_ERROR)
                .map(SystemCallList::word)
                .toList();
    }

    private static String word(Map.Entry<String, Integer> call) {
        Optional<String> error =
                switch (call.getValue()) {
                    case NO_ERROR -> Optional.empty();
                    case KILL -> Optional.of("kill");
                    default -> Optional.of(errorName(call.getValue()));
                };
        return call.getKey() + error.map(name -> ":" + name).orElse("");
    }

    private static String errorName(int error) {
        String name = Errno.name(error);
        return name.startsWith("E")
                ? name
                : OTHER_ERRORS.entrySet().stream()
                        .filter(each -> each.getValue() == error)
                        .map(Map.Entry::getKey)
                        .findFirst()
                        .orElse(String.valueOf(error)); // some numbers have no name
    }
}
