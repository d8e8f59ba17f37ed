package io.holdfast.manager.unit;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Equal parts of units, each kept once: most of thousands of loaded units have the same settings.
 * Knows the parts that were last used, so it does not grow with the units. Safe for use by any
 * thread.
 */
public final class SharedParts {
    private static final int MOST = 256;

    private static final Map<Object, Object> PARTS =
            new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<Object, Object> eldest) {
                    return size() > MOST;
                }
            };

    private SharedParts() {}

    /**
     * Returns the part of an earlier unit that equals this one, or this one.
     *
     * @param part immutable
     */
    public static <T> T of(T part) {
        synchronized (PARTS) {
            @SuppressWarnings("unchecked") // equal parts have the same class
            T known = (T) PARTS.putIfAbsent(part, part);
            return known == null ? part : known;
        }
    }
}
