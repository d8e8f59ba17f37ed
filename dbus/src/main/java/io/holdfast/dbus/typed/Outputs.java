package io.holdfast.dbus.typed;

/**
 * Marks a record that is several outputs of a method, one for each component. A record without it
 * is one output, a struct.
 *
 * <pre>{@code
 * Division divide(int a, int b);            // Divide(ii) → ii
 *
 * record Division(int quotient, int rest) implements Outputs {}
 * }</pre>
 */
public interface Outputs {}
