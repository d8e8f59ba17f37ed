package io.holdfast.varlink;

import io.holdfast.core.Fd;
import java.util.List;

/**
 * A reply with the descriptors that came beside it, which it owns: {@link #close} closes those that
 * were not {@linkplain Fd#move moved} to a new owner.
 */
public record Reply(JsonObject parameters, List<Fd> descriptors) implements AutoCloseable {
    public Reply {
        descriptors = List.copyOf(descriptors);
    }

    @Override
    public void close() {
        descriptors.forEach(Fd::close);
    }
}
