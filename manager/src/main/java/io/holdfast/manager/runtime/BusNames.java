package io.holdfast.manager.runtime;

import io.holdfast.core.Registration;
import java.util.Optional;
import java.util.function.Consumer;

/** Who owns names on a message bus: what services of {@code Type=dbus} are started by. */
public interface BusNames {
    /**
     * Watches a well-known name. Called on the manager's loop; it must neither block nor throw.
     *
     * @param owner told on the manager's loop of the unique name of the owner, or that there is
     *     none: first as it is now, as soon as that is known, and then at every change. A bus that
     *     is lost has no owners
     * @return ends the watch: nothing is told after that. Closed on the loop, also inside of a call
     *     of {@code owner}; it must not throw
     */
    Registration onOwner(String name, Consumer<Optional<String>> owner);
}
