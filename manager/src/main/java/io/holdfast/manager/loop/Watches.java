package io.holdfast.manager.loop;

import org.jspecify.annotations.Nullable;

/** Ends what the loop was asked to watch. */
public final class Watches {
    private Watches() {}

    /**
     * Ends a watch, if there is one.
     *
     * @throws AssertionError if its close throws, which that of a watch does not
     */
    public static void end(@Nullable AutoCloseable watch) {
        if (watch != null) {
            try {
                watch.close();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        }
    }
}
