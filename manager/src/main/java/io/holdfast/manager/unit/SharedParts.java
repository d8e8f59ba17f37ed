package io.holdfast.manager.unit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Equal parts of units, each kept once: most of thousands of loaded units have the same settings.
 * Knows the last few parts of each class, so it does not grow with the units. It compares them
 * instead of computing hash codes, which would visit every element of every part: parts whose own
 * parts are shared are equal at a glance. Safe for use by any thread.
 */
public final class SharedParts {
    private static final int MOST_OF_CLASS = 16;

    private static final Map<Class<?>, List<Object>> LAST_USED = new HashMap<>(); // newest first

    private SharedParts() {}

    /**
     * Returns the part of an earlier unit that equals this one, or this one.
     *
     * @param part immutable
     */
    @SuppressWarnings("unchecked") // equal parts have the same class
    public static <T> T of(T part) {
        synchronized (LAST_USED) {
            List<Object> known = LAST_USED.computeIfAbsent(part.getClass(), _ -> new ArrayList<>());
            int at = known.indexOf(part);
            if (at == 0) {
                return (T) known.getFirst();
            }
            Object shared = at > 0 ? known.remove(at) : part;
            if (known.size() == MOST_OF_CLASS) {
                known.removeLast();
            }
            known.addFirst(shared);
            return (T) shared;
        }
    }
}
