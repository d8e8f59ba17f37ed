package io.holdfast.dbus.wire;

/**
 * A value of type {@code h}: the index of one of the message's descriptors.
 *
 * @param index the index, from 0; the message may have no such descriptor
 */
public record Handle(int index) {}
