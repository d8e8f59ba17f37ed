package io.holdfast.dbus;

import io.holdfast.dbus.stream.Outgoing;
import io.holdfast.dbus.wire.Signature;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
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

    /** The readings under way. */
    private final Set<Reading> readings = ConcurrentHashMap.newKeySet();

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

    void remove(ExportedObject object) {
        if (removeAndAnnounce(object)) {
            for (Reading reading : readings) {
                if (reading.object().equals(object)) { // its executor may never run it
                    reading.leaveOut();
                }
            }
        }
    }

    private synchronized boolean removeAndAnnounce(ExportedObject object) {
        boolean removed = objects.remove(object.path(), object);
        if (removed) {
            emitFromManagers(
                    object,
                    "InterfacesRemoved",
                    REMOVED,
                    List.of(object.path(), List.copyOf(object.interfaces().keySet())));
        }
        return removed;
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
                link.offer(
                        Outgoing.signal(
                                "",
                                path,
                                StandardInterfaces.OBJECT_MANAGER,
                                signal,
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
        values(path, new HashMap<>(), reply);
    }

    /** Reads the values that were not read yet, and replies. */
    private void values(
            String path, Map<ExportedObject, Reading> known, CompletableFuture<List<?>> reply) {
        below(path).values().forEach(object -> known.computeIfAbsent(object, this::read));
        CompletableFuture<?>[] read =
                known.values().stream().map(Reading::values).toArray(CompletableFuture[]::new);
        var _ =
                CompletableFuture.allOf(read)
                        .whenComplete((_, _) -> {
                            if (!reply(path, known, reply)) {
                                values(path, known, reply);
                            }
                        });
    }

    /**
     * Sends the reply before any later InterfacesAdded and InterfacesRemoved; returns false if an
     * object was added whose values were not read.
     */
    private synchronized boolean reply(
            String path, Map<ExportedObject, Reading> known, CompletableFuture<List<?>> reply) {
        Map<String, Object> managed = new LinkedHashMap<>();
        for (ExportedObject object : below(path).values()) {
            Reading reading = known.get(object);
            if (reading == null) {
                return false;
            }
            reading.values().join().ifPresent(values -> managed.put(object.path(), values));
        }
        reply.complete(List.of(managed));
        return true;
    }

    private Reading read(ExportedObject object) {
        Reading reading = new Reading(object, new CompletableFuture<>());
        readings.add(reading);
        var _ = reading.values().whenComplete((_, _) -> readings.remove(reading));
        Executor executor = object.executor();
        try {
            if (executor == null) {
                reading.run(this);
            } else {
                executor.execute(() -> reading.run(this));
            }
        } catch (RejectedExecutionException e) {
            reading.fail(e);
        }
        if (!isExported(object)) { // the executor may never run it
            reading.leaveOut();
        }
        return reading;
    }

    /**
     * The values of an object that are being read for a reply.
     *
     * @param values empty if the reply leaves the object out
     */
    private record Reading(
            ExportedObject object, CompletableFuture<Optional<Map<String, Object>>> values) {
        void run(ManagedObjects objects) {
            try {
                if (objects.isExported(object)) {
                    values.complete(Optional.of(object.valuesByInterface()));
                }
            } catch (RuntimeException | Error e) {
                fail(e);
            } finally {
                leaveOut(); // if it was withdrawn
            }
        }

        void fail(Throwable why) {
            LOG.log(Level.WARNING, object + ": GetManagedObjects leaves the object out", why);
            leaveOut();
        }

        void leaveOut() {
            boolean ignored = values.complete(Optional.empty());
        }
    }
}
