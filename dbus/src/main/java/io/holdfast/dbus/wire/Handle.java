package io.holdfast.dbus.wire;

/**
 * A value of type {@code h}: which of the message's descriptors is meant.
 *
 * @param index counted from 0; may be beyond the descriptors that came
 */
public record Handle(int index) {}
