package io.holdfast.manager.systemd1;

import io.holdfast.core.Registration;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.NameFlag;
import io.holdfast.dbus.NameReply;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.transport.Transport;
import io.holdfast.dbus.wire.Message;
import io.holdfast.manager.runtime.BusNameWatcher;
import io.holdfast.manager.systemd1.caller.Client;
import io.holdfast.manager.systemd1.format.Names;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The manager's connection to a bus: owns the name there, reconnects when the bus returns, starts
 * the units that the bus wants to be activated, and follows the owners of names.
 */
final class BusLink implements BusNameWatcher, AutoCloseable {
    /** The first and the longest pause between two attempts to reconnect. */
    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);

    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

    private static final String BUS = "org.freedesktop.DBus";
    private static final String OF_BUS = "type='signal',sender='" + BUS + "',";
    private static final String GONE =
            OF_BUS + "interface='" + BUS + "',member='NameOwnerChanged',arg2=''";
    private static final String ACTIVATION =
            OF_BUS + "interface='" + Names.ACTIVATOR + "',member='ActivationRequest'";

    /**
     * Limits for a connection that every user may call, with short calls. Everything that callers
     * make it hold has to fit into the heap of the daemon, 64 MiB. The reader has its own platform
     * thread, which wakes up sooner: other daemons often ask which unit a process belongs to.
     */
    private static final ConnectionOptions OPTIONS =
            ConnectionOptions.standard()
                    .withMessageBytes(128 << 10)
                    .withIncomingCalls(512)
                    .withIncomingBytes(2 << 20)
                    .withIncomingDescriptors(256)
                    .withOutgoingBytes(12 << 20)
                    .withReader(Thread.ofPlatform().daemon().factory());

    private final Systemd1Face face;
    private final List<BusAddress> addresses;
    private final Activations activations;
    private final Set<NameWatch> watches = ConcurrentHashMap.newKeySet();
    private final Registration listening;
    private final Thread thread;
    private volatile @Nullable BusConnection connection;
    private volatile @Nullable Client shown;
    private volatile boolean closed;

    /** A watch of the owner of a name. */
    private static final class NameWatch {
        final String name;
        final Consumer<Optional<String>> owner;
        volatile boolean ended;
        volatile @Nullable Subscription subscription;
        boolean reported; // used on the loop
        Optional<String> last = Optional.empty(); // used on the loop

        NameWatch(String name, Consumer<Optional<String>> owner) {
            this.name = name;
            this.owner = owner;
        }
    }

    private BusLink(Systemd1Face face, List<BusAddress> addresses) {
        this.face = face;
        this.addresses = addresses;
        this.activations = new Activations(face.manager(), this::connection);
        this.listening = face.manager().listen(activations);
        this.thread = Thread.ofVirtual().name("systemd1 bus").unstarted(this::run);
    }

    /**
     * Connects, and reconnects from then on.
     *
     * @throws ConnectionLostException if there is no bus
     * @throws DBusException if the name cannot be acquired
     */
    static BusLink open(Systemd1Face face, List<BusAddress> addresses) throws InterruptedException {
        BusLink link = new BusLink(face, addresses);
        try {
            BusConnection _ = link.connect(addresses);
        } catch (RuntimeException | InterruptedException e) {
            link.close();
            throw e;
        }
        link.thread.start();
        return link;
    }

    /** Connects as soon as there is a bus, and reconnects from then on. */
    static BusLink follow(Systemd1Face face, List<BusAddress> addresses) {
        BusLink link = new BusLink(face, addresses);
        link.thread.start();
        return link;
    }

    Optional<BusConnection> connection() {
        return Optional.ofNullable(connection).filter(BusConnection::isOpen);
    }

    private BusConnection connect(List<BusAddress> to) throws InterruptedException {
        BusConnection made = BusConnection.connect(to, OPTIONS);
        Client client = face.show(made, true);
        try {
            // in the order of the calls: a new caller can count on what an old one has released
            Subscription _ = made.subscribe(GONE, this::post, gone -> left(client, gone));
            Subscription _ = made.subscribe(ACTIVATION, activations::request);
            connection = made;
            NameReply reply = made.requestName(Names.SERVICE, NameFlag.DO_NOT_QUEUE);
            if (reply != NameReply.PRIMARY_OWNER && reply != NameReply.ALREADY_OWNER) {
                throw new DBusException(
                        DBusException.FAILED,
                        made + ": the name " + Names.SERVICE + " already has an owner");
            }
        } catch (RuntimeException | InterruptedException e) {
            connection = null;
            face.hide(client);
            made.close();
            throw e;
        }
        shown = client;
        watches.forEach(watch -> follow(made, watch));
        return made;
    }

    private void left(Client client, Message signal) {
        List<Object> values = signal.values();
        if (values.size() == 3
                && values.getFirst() instanceof String name
                && name.startsWith(":")) {
            face.left(client, name);
        }
    }

    /** Posts a bus event to the loop, which must not be refused when the queue is full. */
    private void post(Runnable task) {
        face.manager().loop().postEnding(task);
    }

    // ---- reconnecting

    private void run() {
        try {
            while (!closed) {
                BusConnection now = connection;
                if (now != null) {
                    now.awaitEnd();
                    disconnected(now);
                }
                reconnect();
            }
        } catch (InterruptedException e) {
            // closed
        } finally {
            BusConnection last = connection; // may have been made while this was closed
            if (last != null) {
                last.close();
            }
        }
    }

    private void disconnected(BusConnection was) {
        Client client = shown;
        if (client != null) {
            face.hide(client);
        }
        was.close();
        connection = null;
        activations.busLost();
        if (!closed) {
            post(() -> {
                if (!face.manager().isStopping()) { // stopping everything stops the bus too
                    face.manager().warn("bus connection lost; reconnecting");
                }
            });
            watches.forEach(watch -> reportOwner(watch, null, Optional.empty()));
        }
    }

    private void reconnect() throws InterruptedException {
        List<BusAddress> again = // a restarted bus has another id
                addresses.stream().map(address -> Transport.of(address).address()).toList();
        Duration pause = FIRST_PAUSE;
        boolean logged = shown != null; // the loss of the bus
        if (logged) {
            Thread.sleep(pause); // it may accept and disconnect at once
        }
        while (!closed) {
            try {
                BusConnection _ = connect(again);
                return;
            } catch (RuntimeException e) { // any problem may be fixed on the bus's side
                if (!logged && !closed) {
                    logged = true;
                    String why = "the manager is not on the bus yet: " + e.getMessage();
                    post(() -> face.manager().warn(why));
                }
                Thread.sleep(pause);
                pause = pause.multipliedBy(2);
                pause = pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause;
            }
        }
    }

    // ---- names

    @Override
    public Registration onOwner(String name, Consumer<Optional<String>> owner) {
        NameWatch watch = new NameWatch(name, owner);
        watches.add(watch);
        BusConnection now = connection;
        if (now == null) {
            reportOwner(watch, null, Optional.empty());
        } else {
            follow(now, watch);
        }
        return () -> {
            watch.ended = true;
            boolean pending = watches.remove(watch);
            Subscription subscription = watch.subscription;
            if (subscription != null) {
                subscription.close();
            }
            return pending;
        };
    }

    private void follow(BusConnection on, NameWatch watch) {
        var _ =
                Thread.ofVirtual()
                        .name("systemd1 name " + watch.name)
                        .start(() -> followHere(on, watch));
    }

    private void followHere(BusConnection on, NameWatch watch) {
        String rule =
                OF_BUS
                        + "interface='"
                        + BUS
                        + "',member='NameOwnerChanged',arg0='"
                        + watch.name
                        + "'";
        try (Subscription changes = on.subscribe(rule)) {
            watch.subscription = changes;
            reportOwner(watch, on, on.owner(watch.name));
            while (!watch.ended) {
                try (Message change = changes.take()) {
                    String now = (String) change.values().get(2);
                    reportOwner(watch, on, now.isEmpty() ? Optional.empty() : Optional.of(now));
                }
            }
        } catch (ConnectionLostException | DBusException | InterruptedException e) {
            // reported when the connection is given up
        } catch (RuntimeException e) {
            if (!watch.ended) {
                post(() -> face.manager().warn("cannot follow " + watch.name + ": " + e));
            }
        }
    }

    /**
     * @param by the connection that reports it; null if there is none
     */
    private void reportOwner(NameWatch watch, @Nullable BusConnection by, Optional<String> owner) {
        post(() -> {
            boolean stale = by != null && !by.equals(connection);
            if (!watch.ended && !stale && !(watch.reported && owner.equals(watch.last))) {
                watch.reported = true;
                watch.last = owner;
                watch.owner.accept(owner);
            }
        });
    }

    @Override
    public void close() {
        closed = true;
        BusConnection now = connection;
        thread.interrupt();
        if (now != null) {
            now.close();
        }
        Client client = shown;
        if (client != null) {
            face.hide(client);
        }
        listening.cancel();
    }
}
