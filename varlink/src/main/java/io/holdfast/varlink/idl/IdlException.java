package io.holdfast.varlink.idl;

import java.io.Serial;

/**
 * Thrown for a text that is no valid interface definition; the message starts with {@code
 * line:column}.
 */
public final class IdlException extends IllegalArgumentException {
    @Serial private static final long serialVersionUID = 1;

    /** The line, counted from 1. */
    private final int line;

    /** The column, counted from 1. */
    private final int column;

    /**
     * Makes an exception.
     *
     * @param line the line, counted from 1
     * @param column the column in characters, counted from 1
     * @param reason why the text is refused there
     */
    public IdlException(int line, int column, String reason) {
        super(line + ":" + column + ": " + reason);
        this.line = line;
        this.column = column;
    }

    /** {@return the line, counted from 1} */
    public int line() {
        return line;
    }

    /** {@return the column in characters, counted from 1} */
    public int column() {
        return column;
    }
}
