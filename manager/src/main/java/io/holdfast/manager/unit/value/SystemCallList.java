package io.holdfast.manager.unit.value;

import io.holdfast.core.Errno;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;

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
        for (int number = 1; number < ERRNO_NAMES; number++) {
            if (Errno.name(number).equals(word)) {
                return number;
            }
        }
        return Scalars.parseInt(word, 0, HIGHEST_ERROR);
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
        return name.startsWith("E") ? name : String.valueOf(error); // some numbers have no name
    }
}
