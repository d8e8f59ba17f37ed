package io.holdfast.dbus.generate;

import java.io.Serial;

/**
 * Thrown if introspection XML cannot be used. The message is one line, {@code file:line: reason}.
 */
public final class IntrospectionException extends Exception {
    @Serial private static final long serialVersionUID = 1L;

    IntrospectionException(String source, int line, String reason) {
        super(source + ":" + Math.max(0, line) + ": " + oneLine(reason));
    }

    private static String oneLine(String reason) {
        return reason.replaceAll("\\s+", " ").strip();
    }
}
