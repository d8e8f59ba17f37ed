package io.holdfast.core.terminal;

/**
 * The size of a terminal in characters.
 *
 * <pre>{@code
 * terminal.resize(new TerminalSize(50, 132));
 * }</pre>
 *
 * @param rows the number of rows, 0 (unknown) to 32767
 * @param columns the number of columns, 0 (unknown) to 65535
 */
public record TerminalSize(int rows, int columns) {
    private static final int MOST_ROWS = 0x7FFF;
    private static final int MOST_COLUMNS = 0xFFFF;

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if a number is out of range
     */
    public TerminalSize {
        if (rows < 0 || rows > MOST_ROWS || columns < 0 || columns > MOST_COLUMNS) {
            throw new IllegalArgumentException("no size of a terminal: " + rows + "x" + columns);
        }
    }

    /** Returns the rows and the columns, as {@code stty size} prints them. */
    @Override
    public String toString() {
        return rows + " " + columns;
    }
}
