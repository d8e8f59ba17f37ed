package io.holdfast.dbus;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Objects below one path that are many, or come and go. The connection holds none of them; it looks
 * each one up when it is called. All methods run on the executor with which {@link
 * BusConnection#exportTree} was called. For each sender, objects are looked up and called in the
 * order of its calls, however long a look-up takes; other senders do not wait for it.
 */
public interface ObjectTree {
    /**
     * Looks up the interfaces of one object. The stage completes on the executor's thread, where
     * its properties are read and its methods are handled.
     *
     * @param path the path of the object, below that of the tree
     * @return the interfaces; none if there is no such object
     */
    CompletionStage<List<BusInterface>> interfaces(String path);

    /**
     * Looks up the interfaces of one object for one caller, where a path means another object to
     * each caller.
     *
     * @param path the path of the object
     * @param sender the caller's unique name; empty without a bus
     * @return the interfaces; none if there is no such object
     */
    default CompletionStage<List<BusInterface>> interfaces(String path, String sender) {
        return interfaces(path);
    }

    /** {@return the paths of all objects that introspection lists} */
    Collection<String> paths();
}
