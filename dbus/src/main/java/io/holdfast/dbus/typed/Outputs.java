package io.holdfast.dbus.typed;

/**
 * Marks a record whose components are the outputs of a method, one each. A record without it is a
 * single output, a struct.
 *
 * <pre>{@code
 * Division divide(int a, int b);            // Divide(ii) → ii
 *
 * record Division(int quotient, int rest) implements Outputs {}
 * }</pre>
 */
public interface Outputs {}
