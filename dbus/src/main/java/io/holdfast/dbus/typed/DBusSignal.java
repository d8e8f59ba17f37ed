package io.holdfast.dbus.typed;

/**
 * Marks a record that is a signal: its components are the arguments. The record is nested in the
 * interface that has the signal, and has the signal's name, unless {@link DBusName} gives another.
 *
 * <pre>{@code
 * public interface Clock {
 *     record Tick(long seconds) implements DBusSignal {}
 * }
 * }</pre>
 *
 * <p>{@link Export#emit} sends it, {@link Signals} receives it.
 */
public interface DBusSignal {}
