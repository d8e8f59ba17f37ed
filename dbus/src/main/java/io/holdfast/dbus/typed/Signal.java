package io.holdfast.dbus.typed;

/**
 * Marks a record that is a signal: its components are the arguments. It is nested in the interface
 * that has the signal, and bears its name, unless {@link DBusName} says another one.
 *
 * <pre>{@code
 * public interface Clock {
 *     record Tick(long seconds) implements Signal {}
 * }
 * }</pre>
 *
 * <p>Sent by {@link Export#emit}, received by {@link Signals}.
 */
public interface Signal {}
