package io.holdfast.core.sys.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.sys.CString;
import io.holdfast.core.sys.Libc;
import io.holdfast.core.sys.Scratch;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** {@code stdlib.h}: the environment that native code of this process sees. */
public final class Stdlib {
    private static final Libc.Function CLEARENV = Libc.bind("clearenv");
    private static final Libc.Function SETENV = Libc.bind("setenv");

    /** The environment, read once: setenv(3) of another thread may free what a read looks at. */
    private static final class Environment {
        static final Map<String, String> VARIABLES = read();

        private static Map<String, String> read() {
            Map<String, String> variables = new LinkedHashMap<>();
            for (String variable : Libc.environmentStrings()) {
                int equals = variable.indexOf('=', 1);
                if (equals > 0) {
                    String name = variable.substring(0, equals);
                    variables.putIfAbsent(name, variable.substring(equals + 1)); // as getenv(3)
                }
            }
            return Collections.unmodifiableMap(variables);
        }
    }

    private Stdlib() {}

    /**
     * Returns the environment of this process as it was at the first call, in the kernel's order.
     * {@code System.getenv} loses each byte that the JVM's locale does not support; here {@link
     * CString#encode} returns the bytes of every name and value.
     *
     * @throws IllegalCallerException if this JVM denies native access
     */
    public static Map<String, String> environment() {
        Libc.requireNativeAccess();
        return Environment.VARIABLES;
    }

    /**
     * Replaces the environment of native code (environ(7)) as a whole. {@code System.getenv} and
     * {@link #environment} are not changed: both take a copy at their first use, which this makes
     * them take before.
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
        var _ = environment();
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
