package io.holdfast.manager.runtime;

import io.holdfast.core.Registration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Reports the owners of names on a message bus. Services of {@code Type=dbus} are started when
 * their name has an owner.
 */
public interface BusNameWatcher {
    /**
     * Watches a well-known name. Called on the manager's loop; it must neither block nor throw.
     *
     * @param owner called on the manager's loop with the unique name of the owner, or empty if
     *     there is none: first with the present owner, as soon as it is known, and then at every
     *     change. If the bus is lost, the name has no owner
     * @return ends the watch: afterwards {@code owner} is not called. Closed on the loop, also
     *     within a call of {@code owner}; it must not throw
     */
    Registration onOwner(String name, Consumer<Optional<String>> owner);
}
