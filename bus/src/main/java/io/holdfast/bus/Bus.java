package io.holdfast.bus;

/** A message bus. */
public final class Bus {
    private Bus() {}
}
