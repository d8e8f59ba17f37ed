package io.holdfast.varlink.client;

import io.holdfast.core.Fd;
import io.holdfast.varlink.json.JsonObject;
import java.util.List;

/**
 * A reply with its descriptors, which it owns: {@link #close} closes those that were not
 * {@linkplain Fd#move moved} to a new owner.
 *
 * @param parameters the parameters
 * @param descriptors the descriptors
 */
public record Reply(JsonObject parameters, List<Fd> descriptors) implements AutoCloseable {
    /** Copies the list of descriptors. */
    public Reply {
        descriptors = List.copyOf(descriptors);
    }

    @Override
    public void close() {
        descriptors.forEach(Fd::close);
    }
}
