package io.holdfast.manager;

import java.util.Optional;
import java.util.function.Consumer;

/** Who owns which name on the bus that the manager is connected to. */
public interface BusNames {
    /**
     * Follows a name. On the manager's loop.
     *
     * @param name a well-known bus name
     * @param owner called on the manager's loop, first at once and then at every change, with the
     *     unique name of the owner; empty if nobody owns it
     * @return closes to no call
     */
    AutoCloseable onOwner(String name, Consumer<Optional<String>> owner);
}
