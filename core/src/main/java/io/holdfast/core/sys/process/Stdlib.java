package io.holdfast.core.sys.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.sys.CString;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;
import java.util.Map;

/** {@code stdlib.h}: the environment that native code of this process sees. */
public final class Stdlib {
    private static final Libc.Function CLEARENV = Libc.bind("clearenv");
    private static final Libc.Function SETENV = Libc.bind("setenv");

    private Stdlib() {}

    /**
     * Replaces the environment of native code (environ(7)) as a whole. {@code System.getenv} is not
     * changed: the JVM took a copy at its first use, which this makes it take before.
     *
     * <p>getenv(3) of another thread may read freed memory meanwhile: call it while no other thread
     * is in native code that reads variables, as early as can be.
     *
     * @throws IllegalArgumentException if a name is empty or has a {@code =}, or one has a NUL
     * @throws ErrnoException ENOMEM
     */
    public static void replaceEnvironment(Map<String, String> variables) {
        variables.forEach((name, value) -> {
            if (name.isEmpty() || name.indexOf('=') >= 0 || (name + value).indexOf('\0') >= 0) {
                throw new IllegalArgumentException("no variable of an environment: " + name);
            }
        });
        var _ = System.getenv();
        int cleared = Libc.intCall(CLEARENV, 0, 0, 0, 0, 0, 0);
        int ignored = ErrnoException.check(cleared, "clearenv", "");
        variables.forEach(Stdlib::set);
    }

    private static void set(String name, String value) {
        Scratch scratch = Scratch.take();
        try {
            int at = CString.put(scratch.bytes, 0, name);
            int _ = CString.put(scratch.bytes, at, value);
            int r =
                    Libc.intCall(
                            SETENV,
                            scratch.errno,
                            scratch.address,
                            scratch.address + at,
                            1, // replaces
                            0,
                            0,
                            0);
            int ignored = ErrnoException.check(r, "setenv", name);
        } finally {
            scratch.release();
        }
    }
}
