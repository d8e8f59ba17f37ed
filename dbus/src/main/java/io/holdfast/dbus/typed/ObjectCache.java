package io.holdfast.dbus.typed;

import static io.holdfast.dbus.marshal.DBusLimits.CACHED_ENTRIES;
import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.MustBeClosed;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.dbus.wire.match.MatchRule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The objects of a service and their properties, read once and kept up to date by its signals:
 * those below an ObjectManager, or the properties of one object.
 *
 * <pre>{@code
 * RemoteObject manager = bus.object("org.bluez", "/");
 * try (ObjectCache devices = ObjectCache.ofManager(manager, (path, type, properties) -> show(path))) {
 *     for (String path : devices.paths(Device.class)) {
 *         IO.println(devices.find(path, Device.class).orElseThrow().name());   // no call
 *     }
 * }
 * ObjectCache clock = ObjectCache.of(bus.object("org.example.Clock", "/"), listener, Clock.class);
 * }</pre>
 *
 * <p>Everything is read again when the service is restarted and when signals were lost. Signals
 * that were sent before a reply are recognized by their serial number. The cache ends with its
 * connection; it then keeps what it has. Safe for use by any thread.
 */
public final class ObjectCache implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(ObjectCache.class.getName());
    private static final String PROPERTIES = "org.freedesktop.DBus.Properties";
    private static final String MANAGER = "org.freedesktop.DBus.ObjectManager";
    private static final String BUS = "org.freedesktop.DBus";

    /** Notified of changes, on a virtual thread, one after the other. */
    @FunctionalInterface
    public interface Listener {
        /**
         * Handles a change: an object got or lost an interface, or its properties have changed.
         *
         * @param path the path of the object
         * @param interfaceName the D-Bus name of the interface
         * @param properties the names of the properties that have changed; all of them if the
         *     interface is new or gone
         */
        void changed(String path, String interfaceName, Set<String> properties);
    }

    /** A change that the listener has not seen. */
    private record Change(String path, String interfaceName, Set<String> properties) {}

    /** The values of the properties of one interface, by name; without those that are invalid. */
    private record Values(Map<String, Variant> known) {}

    private final RemoteObject root;
    private final List<TypedInterface> types; // of one object; empty for a manager
    private final Listener listener;
    private final List<Subscription> subscriptions = new ArrayList<>();
    private final Map<String, Map<String, Values>> objects = new ConcurrentHashMap<>();

    /** Held while the cache is changed. */
    private final ReentrantLock writing = new ReentrantLock();

    // guarded by writing
    private @Nullable String owner; // the sender of the last full reply

    // guarded by writing
    private int serial; // of that reply

    // guarded by writing
    private long lostBefore;

    // guarded by writing
    private long entries; // in `objects`

    private ObjectCache(RemoteObject root, List<TypedInterface> types, Listener listener) {
        this.root = requireNonNull(root, "root");
        this.types = types;
        this.listener = requireNonNull(listener, "listener");
    }

    /**
     * Reads the objects below an object manager.
     *
     * @param manager the object with the interface {@code org.freedesktop.DBus.ObjectManager}
     * @param listener notified of later changes
     * @return the cache, owned by the caller
     * @throws DBusException if the manager cannot be asked; LIMITS_EXCEEDED if it has more than
     *     {@code io.holdfast.dbus.cachedEntries} entries
     * @throws ConnectionLostException if the connection is lost
     * @throws InterruptedException if the thread is or gets interrupted
     */
    @MustBeClosed
    public static ObjectCache ofManager(RemoteObject manager, Listener listener)
            throws InterruptedException {
        return new ObjectCache(manager, List.of(), listener).opened();
    }

    /**
     * Reads the properties of one object.
     *
     * @param object the object
     * @param listener notified of later changes
     * @param types its interfaces
     * @return the cache, owned by the caller
     * @throws IllegalArgumentException if there is no interface, or one is no valid D-Bus interface
     * @throws DBusException if the properties cannot be read
     * @throws ConnectionLostException if the connection is lost
     * @throws InterruptedException if the thread is or gets interrupted
     */
    @MustBeClosed
    public static ObjectCache of(RemoteObject object, Listener listener, Class<?>... types)
            throws InterruptedException {
        if (types.length == 0) {
            throw new IllegalArgumentException("a cache of an object without interfaces");
        }
        List<TypedInterface> described = new ArrayList<>();
        for (Class<?> type : types) {
            described.add(TypedInterface.of(type));
        }
        return new ObjectCache(object, List.copyOf(described), listener).opened();
    }

    private ObjectCache opened() throws InterruptedException {
        BusConnection bus = root.connection();
        MatchRule.Builder rule = MatchRule.builder().type(MessageType.SIGNAL);
        var _ = types.isEmpty() ? rule.pathNamespace(root.path()) : rule.path(root.path());
        if (!root.destination().isEmpty()) {
            var _ = rule.sender(root.destination());
        }
        writing.lock(); // signals wait until everything is read
        try {
            subscriptions.add(bus.subscribe(rule.build().toString(), this::receive));
            if (!root.destination().isEmpty() && !root.destination().startsWith(":")) {
                MatchRule owners =
                        MatchRule.builder()
                                .type(MessageType.SIGNAL)
                                .sender(BUS)
                                .interfaceName(BUS)
                                .member("NameOwnerChanged")
                                .argument(0, root.destination())
                                .build();
                subscriptions.add(bus.subscribe(owners.toString(), this::ownerChanged));
            }
            var _ = readAll();
            return this;
        } catch (RuntimeException | InterruptedException e) {
            close();
            throw e;
        } finally {
            writing.unlock();
        }
    }

    /**
     * {@return the paths of the objects that have an interface now, sorted}
     *
     * @param type the interface
     */
    public Set<String> paths(Class<?> type) {
        String name = TypedInterface.of(type).name();
        Set<String> paths = new TreeSet<>();
        objects.forEach((path, interfaces) -> {
            if (interfaces.containsKey(name)) {
                boolean _ = paths.add(path);
            }
        });
        return paths;
    }

    /**
     * Returns an object. Its properties are read from the cache, also when they change later; a
     * property that is not in the cache (the service announced a change without the value) is asked
     * of the object, and all other methods are calls, as those of a {@link Proxy}.
     *
     * @param <T> the interface
     * @param path the path of the object
     * @param type the interface
     * @return the object; empty if there is no object with that interface now
     */
    public <T> Optional<T> find(String path, Class<T> type) {
        TypedInterface described = TypedInterface.of(type);
        if (!objects.getOrDefault(path, Map.of()).containsKey(described.name())) {
            return Optional.empty();
        }
        RemoteObject object = root.connection().object(root.destination(), path);
        RemoteHandler remote = new RemoteHandler(object, described);
        Class<?>[] types = {type};
        return Optional.of(
                type.cast(
                        java.lang.reflect.Proxy.newProxyInstance(
                                type.getClassLoader(),
                                types,
                                (proxy, method, arguments) -> {
                                    TypedProperty property = described.property(method);
                                    Variant cached =
                                            property == null || arguments != null
                                                    ? null
                                                    : cached(path, described.name(), property);
                                    return property == null || cached == null
                                            ? remote.invoke(proxy, method, arguments)
                                            : property.toJava(
                                                    cached.value(),
                                                    DBusException.INCONSISTENT_MESSAGE);
                                })));
    }

    /** Returns the value of a property; null if it is not known or of another type. */
    private @Nullable Variant cached(String path, String interfaceName, TypedProperty property) {
        Values values = objects.getOrDefault(path, Map.of()).get(interfaceName);
        Variant value = values == null ? null : values.known().get(property.name());
        return value != null && value.type().toString().equals(property.type().signature())
                ? value
                : null;
    }

    // Changes

    private void ownerChanged(Message signal) {
        List<Object> values = signal.values();
        if (values.size() == 3 && !values.get(2).equals("")) {
            readAgain();
        } else {
            notify(cleared());
        }
    }

    private List<Change> cleared() {
        writing.lock();
        try {
            return replaced(Map.of());
        } finally {
            writing.unlock();
        }
    }

    private void readAgain() {
        List<Change> changes;
        writing.lock();
        try {
            changes = readAll();
        } catch (InterruptedException | ConnectionLostException e) {
            return; // closed
        } catch (DBusException e) {
            LOG.log(System.Logger.Level.WARNING, this + ": not read again", e);
            changes = replaced(Map.of());
        } finally {
            writing.unlock();
        }
        notify(changes);
    }

    private void receive(Message signal) {
        List<Change> changes = List.of();
        writing.lock();
        try {
            long lost = subscriptions.getFirst().lost();
            if (lost != lostBefore) {
                changes = readAll();
                lostBefore = lost;
            } else if (Objects.equals(owner, signal.sender())
                    && Integer.compareUnsigned(signal.serial(), serial) > 0) {
                changes = applied(signal);
            }
        } catch (InterruptedException | ConnectionLostException e) {
            return; // closed
        } finally {
            writing.unlock();
        }
        notify(changes);
    }

    private void notify(List<Change> changes) {
        for (Change change : changes) {
            listener.changed(change.path(), change.interfaceName(), change.properties());
        }
    }

    // guarded by writing
    private List<Change> applied(Message signal) {
        String kind = signal.interfaceName() + "." + signal.member() + signal.signature();
        List<Object> values = signal.values();
        return switch (kind) {
            case PROPERTIES + ".PropertiesChangedsa{sv}as" ->
                    changed(
                            requireNonNull(signal.path()),
                            (String) values.get(0),
                            variants(values.get(1)),
                            (List<?>) values.get(2));
            case MANAGER + ".InterfacesAddedoa{sa{sv}}" -> {
                List<Change> changes = new ArrayList<>();
                String path = values.get(0).toString();
                for (var added : interfaces(values.get(1)).entrySet()) {
                    changes.addAll(put(path, added.getKey(), added.getValue()));
                }
                yield changes;
            }
            case MANAGER + ".InterfacesRemovedoas" -> {
                List<Change> changes = new ArrayList<>();
                for (Object name : (List<?>) values.get(1)) {
                    changes.addAll(remove(values.get(0).toString(), (String) name));
                }
                yield changes;
            }
            default -> List.of();
        };
    }

    // guarded by writing
    private List<Change> changed(
            String path, String name, Map<String, Variant> changed, List<?> invalidated) {
        Values before = objects.getOrDefault(path, Map.of()).get(name);
        if (before == null) {
            return List.of(); // not an interface of this cache
        }
        Map<String, Variant> known = new LinkedHashMap<>(before.known());
        known.putAll(changed);
        Set<String> names = new TreeSet<>(changed.keySet());
        for (Object property : invalidated) {
            Variant _ = known.remove((String) property);
            boolean _ = names.add((String) property);
        }
        List<Change> _ = put(path, name, new Values(Map.copyOf(known)));
        return List.of(new Change(path, name, names));
    }

    // guarded by writing
    private List<Change> put(String path, String name, Values values) {
        Map<String, Values> interfaces = new HashMap<>(objects.getOrDefault(path, Map.of()));
        entries -= size(interfaces);
        Values _ = interfaces.put(name, values);
        entries += size(interfaces);
        if (entries > CACHED_ENTRIES.value()) {
            return ended();
        }
        Map<String, Values> _ = objects.put(path, Map.copyOf(interfaces));
        return List.of(new Change(path, name, values.known().keySet()));
    }

    /** Ends a cache that the service would fill. */
    // guarded by writing
    private List<Change> ended() {
        LOG.log(
                System.Logger.Level.WARNING,
                this
                        + ": ended: it has "
                        + CACHED_ENTRIES.value()
                        + " entries; "
                        + CACHED_ENTRIES.remedy());
        close();
        return replaced(Map.of());
    }

    // guarded by writing
    private List<Change> remove(String path, String name) {
        Map<String, Values> interfaces = new HashMap<>(objects.getOrDefault(path, Map.of()));
        entries -= size(interfaces);
        Values removed = interfaces.remove(name);
        if (interfaces.isEmpty()) {
            Map<String, Values> _ = objects.remove(path);
        } else {
            entries += size(interfaces);
            Map<String, Values> _ = objects.put(path, Map.copyOf(interfaces));
        }
        return removed == null
                ? List.of()
                : List.of(new Change(path, name, removed.known().keySet()));
    }

    /** Returns the number of entries of an object; 0 if there is none. */
    private static long size(Map<String, Values> interfaces) {
        return interfaces.isEmpty()
                ? 0
                : 1
                        + interfaces.size()
                        + interfaces.values().stream()
                                .mapToLong(values -> values.known().size())
                                .sum();
    }

    /** Reads everything, and returns what has changed. */
    // guarded by writing
    private List<Change> readAll() throws InterruptedException {
        Map<String, Map<String, Values>> all = new HashMap<>();
        if (types.isEmpty()) {
            try (Message reply = root.exchange(MANAGER, "GetManagedObjects", "")) {
                require(reply, "a{oa{sa{sv}}}");
                ((Map<?, ?>) reply.values().getFirst())
                        .forEach((path, found) -> all.put(path.toString(), interfaces(found)));
                owner = reply.sender();
                serial = reply.serial();
            }
        } else {
            Map<String, Values> interfaces = new HashMap<>();
            for (TypedInterface type : types) {
                try (Message reply = root.exchange(PROPERTIES, "GetAll", "s", type.name())) {
                    require(reply, "a{sv}");
                    Values values = new Values(variants(reply.values().getFirst()));
                    Values _ = interfaces.put(type.name(), values);
                    if (interfaces.size() == 1) { // later replies may have newer values, no older
                        owner = reply.sender();
                        serial = reply.serial();
                    }
                }
            }
            Map<String, Values> _ = all.put(root.path(), Map.copyOf(interfaces));
        }
        if (all.values().stream().mapToLong(ObjectCache::size).sum() > CACHED_ENTRIES.value()) {
            throw new DBusException(
                    DBusException.LIMITS_EXCEEDED,
                    this
                            + ": more than "
                            + CACHED_ENTRIES.value()
                            + " entries; "
                            + CACHED_ENTRIES.remedy());
        }
        return replaced(all);
    }

    private static void require(Message reply, String signature) {
        if (!reply.signature().toString().equals(signature)) {
            throw new DBusException(
                    DBusException.INCONSISTENT_MESSAGE,
                    "the reply is of \"" + reply.signature() + "\", not \"" + signature + "\"");
        }
    }

    /** Replaces all objects, and returns what has changed. */
    // guarded by writing
    private List<Change> replaced(Map<String, Map<String, Values>> all) {
        List<Change> changes = new ArrayList<>();
        Set<String> paths = new TreeSet<>(objects.keySet());
        paths.addAll(all.keySet());
        for (String path : paths) {
            Map<String, Values> before = objects.getOrDefault(path, Map.of());
            Map<String, Values> after = all.getOrDefault(path, Map.of());
            Set<String> names = new TreeSet<>(before.keySet());
            names.addAll(after.keySet());
            for (String name : names) {
                Values old = before.get(name);
                Values now = after.get(name);
                if (!Objects.equals(old, now)) {
                    Set<String> properties = new HashSet<>();
                    properties.addAll(old == null ? Set.of() : old.known().keySet());
                    properties.addAll(now == null ? Set.of() : now.known().keySet());
                    changes.add(new Change(path, name, properties));
                }
            }
        }
        objects.keySet().retainAll(all.keySet());
        objects.putAll(all);
        entries = all.values().stream().mapToLong(ObjectCache::size).sum();
        return changes;
    }

    private static Map<String, Values> interfaces(Object plain) {
        Map<String, Values> interfaces = new HashMap<>();
        ((Map<?, ?>) plain)
                .forEach((name, values) -> {
                    Values _ = interfaces.put((String) name, new Values(variants(values)));
                });
        return Map.copyOf(interfaces);
    }

    private static Map<String, Variant> variants(Object plain) {
        Map<String, Variant> variants = new LinkedHashMap<>();
        ((Map<?, ?>) plain)
                .forEach((name, value) -> {
                    Variant _ = variants.put((String) name, (Variant) value);
                });
        return Map.copyOf(variants);
    }

    /** Ends the subscriptions. The cache keeps what it has. Idempotent. */
    @Override
    public void close() {
        subscriptions.forEach(Subscription::close);
    }

    @Override
    public String toString() {
        return "cache of " + root;
    }
}
