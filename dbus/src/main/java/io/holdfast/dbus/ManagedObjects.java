package io.holdfast.dbus;

import io.holdfast.dbus.stream.Outgoing;
import io.holdfast.dbus.wire.Signature;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentNavigableMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * The objects of one connection that are exported individually, by path. Each is an ObjectManager
 * of those below it: it announces them, and lists their values. Safe for use by any thread.
 */
final class ManagedObjects {
    private static final Logger LOG = System.getLogger(ManagedObjects.class.getName());
    private static final Signature ADDED = Signature.of("oa{sa{sv}}");
    private static final Signature REMOVED = Signature.of("oas");

    private final Link link;
    private final ConcurrentNavigableMap<String, ExportedObject> objects =
            new ConcurrentSkipListMap<>();

    ManagedObjects(Link link) {
        this.link = link;
    }

    @Nullable ExportedObject get(String path) {
        return objects.get(path);
    }

    void add(ExportedObject object) {
        Executor executor = object.executor();
        if (executor != null) {
            put(object);
            announceLater(object, executor);
            return;
        }
        // Read the values before the object becomes visible, since a reader may fail.
        Map<String, Object> values = object.valuesByInterface();
        put(object);
        try {
            announce(object, values);
        } catch (RuntimeException | Error e) { // a value does not fit its type
            objects.remove(object.path(), object);
            throw e;
        }
    }

    private void put(ExportedObject object) {
        if (objects.putIfAbsent(object.path(), object) != null) {
            throw new IllegalStateException("there is an object " + object.path() + " already");
        }
    }

    private synchronized void announce(ExportedObject object, Map<String, Object> values) {
        if (isExported(object)) { // else InterfacesRemoved was emitted
            emitFromManagers(object, "InterfacesAdded", ADDED, List.of(object.path(), values));
        }
    }

    /** Announces an object when its values are read on the executor. */
    private void announceLater(ExportedObject object, Executor executor) {
        if (managersOf(object).isEmpty()) {
            return;
        }
        try {
            executor.execute(() -> readAndAnnounce(object));
        } catch (RejectedExecutionException e) {
            logUnannounced(object, e);
        }
    }

    private void readAndAnnounce(ExportedObject object) {
        try {
            if (isExported(object)) {
                announce(object, object.valuesByInterface());
            }
        } catch (RuntimeException | Error e) { // a value cannot be read, or does not fit its type
            logUnannounced(object, e);
        }
    }

    private static void logUnannounced(ExportedObject object, Throwable e) {
        LOG.log(Level.WARNING, object + ": InterfacesAdded was not emitted", e);
    }

    private boolean isExported(ExportedObject object) {
        return objects.get(object.path()) == object;
    }

    synchronized void remove(ExportedObject object) {
        if (objects.remove(object.path(), object)) {
            emitFromManagers(
                    object,
                    "InterfacesRemoved",
                    REMOVED,
                    List.of(object.path(), List.copyOf(object.interfaces().keySet())));
        }
    }

    /** Returns the paths of the objects above the given one. */
    private List<String> managersOf(ExportedObject object) {
        List<String> managers = new ArrayList<>();
        for (String above = parent(object.path()); above != null; above = parent(above)) {
            if (objects.containsKey(above)) {
                managers.add(above);
            }
        }
        return managers;
    }

    /** Emits a signal from all objects above the given one. */
    private void emitFromManagers(
            ExportedObject object, String signal, Signature types, List<?> values) {
        for (String path : managersOf(object)) {
            if (link.isOpen()) {
                link.offer(serial ->
                        Outgoing.of(
                                w -> w.signal(path, StandardInterfaces.OBJECT_MANAGER, signal),
                                0,
                                serial,
                                null,
                                types,
                                values));
            }
        }
    }

    private static @Nullable String parent(String path) {
        if (path.equals("/")) {
            return null;
        }
        int slash = path.lastIndexOf('/');
        return slash == 0 ? "/" : path.substring(0, slash);
    }

    /** Returns the objects below a path. */
    NavigableMap<String, ExportedObject> below(String path) {
        String prefix = path.equals("/") ? "/" : path + "/";
        return objects.subMap(prefix, false, prefix.substring(0, prefix.length() - 1) + "0", false);
    }

    /** Reads the values of the objects below a path, each where its readers may run. */
    void values(String path, CompletableFuture<List<?>> reply) {
        Map<ExportedObject, CompletableFuture<Map<String, Object>>> below = new LinkedHashMap<>();
        for (ExportedObject object : below(path).values()) {
            Executor executor = object.executor();
            below.put(
                    object,
                    CompletableFuture.supplyAsync(
                            () -> isExported(object) ? object.valuesByInterface() : Map.of(),
                            executor == null ? Runnable::run : executor));
        }
        var _ =
                CompletableFuture.allOf(below.values().toArray(CompletableFuture[]::new))
                        .thenApply(_ -> {
                            Map<String, Object> managed = new LinkedHashMap<>();
                            below.forEach((object, values) -> {
                                if (isExported(object)) {
                                    managed.put(object.path(), values.join());
                                }
                            });
                            return managed;
                        })
                        .whenComplete((managed, failure) -> {
                            if (failure == null) {
                                reply.complete(List.of(managed));
                            } else {
                                reply.completeExceptionally(failure);
                            }
                        });
    }
}
