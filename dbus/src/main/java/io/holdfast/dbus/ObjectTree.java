package io.holdfast.dbus;

import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * Objects below one path that are many, or come and go: none of them is held by the connection,
 * each is asked for when somebody calls it. All methods are called on the executor that {@link
 * BusConnection#exportTree} was given. Objects are asked for, and called, in the order in which a
 * sender calls them, however long it takes to find each; others do not wait for it.
 */
public interface ObjectTree {
    /**
     * The interfaces of one object; none if there is no such object. The stage completes on the
     * executor's thread, and there properties are read and methods handled.
     *
     * @param path below that of the tree
     * @return the interfaces; none if there is no such object
     */
    CompletionStage<List<BusInterface>> interfaces(String path);

    /**
     * The same for a certain caller, where a path means another object to each.
     *
     * @param path the path of the object
     * @param sender the caller's unique name; empty without a bus
     * @return the interfaces; none if there is no such object
     */
    default CompletionStage<List<BusInterface>> interfaces(String path, String sender) {
        return interfaces(path);
    }

    /** {@return the paths of all objects that are to be seen by introspection} */
    Collection<String> paths();
}
