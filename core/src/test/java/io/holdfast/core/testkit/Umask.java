package io.holdfast.core.testkit;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;

/** The umask of this whole JVM, until it is closed: what a daemon inherits from its starter. */
public final class Umask implements AutoCloseable {
    @SuppressWarnings("restricted")
    private static final MethodHandle UMASK =
            Linker.nativeLinker()
                    .downcallHandle(
                            Linker.nativeLinker().defaultLookup().findOrThrow("umask"),
                            FunctionDescriptor.of(JAVA_INT, JAVA_INT));

    private final int before;

    private Umask(int before) {
        this.before = before;
    }

    /** Sets it. */
    public static Umask of(int mask) {
        return new Umask(set(mask));
    }

    private static int set(int mask) {
        try {
            return (int) UMASK.invokeExact(mask);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        int _ = set(before);
    }
}
