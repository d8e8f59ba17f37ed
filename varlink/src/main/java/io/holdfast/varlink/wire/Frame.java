package io.holdfast.varlink.wire;

import io.holdfast.core.Fd;
import io.holdfast.varlink.MessageLimits;
import io.holdfast.varlink.json.JsonObject;
import io.holdfast.varlink.json.text.JsonWriter;
import java.util.List;

/**
 * A message that is ready to be sent, and that owns the descriptors that go with it.
 *
 * <p>A class instead of a record, since two frames are never compared.
 */
public final class Frame implements AutoCloseable {
    private final byte[] bytes;
    private final List<Fd> descriptors;

    /**
     * Makes a frame.
     *
     * @throws IllegalArgumentException if the message exceeds the limits; the descriptors are
     *     closed then
     */
    public Frame(JsonObject message, List<Fd> descriptors, MessageLimits limits) {
        this.descriptors = List.copyOf(descriptors);
        this.bytes = JsonWriter.frame(message);
        int length = bytes.length - 1;
        if (length > limits.json().maxBytes() || descriptors.size() > limits.maxDescriptors()) {
            close();
            throw new IllegalArgumentException(
                    "a message of %d bytes and %d descriptors is beyond the limits of %d and %d"
                            .formatted(
                                    length,
                                    descriptors.size(),
                                    limits.json().maxBytes(),
                                    limits.maxDescriptors()));
        }
    }

    /** Returns the message with its NUL. */
    public byte[] bytes() {
        return bytes;
    }

    List<Fd> descriptors() {
        return descriptors;
    }

    @Override
    public void close() {
        descriptors.forEach(Fd::close);
    }
}
