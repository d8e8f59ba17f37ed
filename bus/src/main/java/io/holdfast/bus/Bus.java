package io.holdfast.bus;

import io.holdfast.bus.activation.SpawnActivator;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.config.ConfigException;
import io.holdfast.bus.policy.UniqueName;
import io.holdfast.bus.service.ActivatableServices;
import io.holdfast.bus.service.Activator;
import io.holdfast.core.EventLoop;
import io.holdfast.core.sys.Uninterruptible;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.transport.BusListener;
import io.holdfast.dbus.address.transport.Transport;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiConsumer;

/**
 * A message bus in this JVM.
 *
 * <pre>{@code
 * try (Bus bus = Bus.open(BusAddress.parse("unix:tmpdir=/tmp"), BusConfig.permissive())) {
 *     System.out.println("DBUS_SESSION_BUS_ADDRESS=" + bus.addresses().getFirst());
 *     …
 * }
 * }</pre>
 *
 * <p>One thread, created by the bus, owns all of its state. Any number of buses can be open at
 * once; they share nothing. The bus identifies each client by the pidfd that the kernel gives for
 * its connection (SO_PEERPIDFD, Linux 6.5); on older kernels clients have no ProcessFD. Any thread
 * may call any method.
 */
public final class Bus implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger("io.holdfast.bus");
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int ID_BYTES = 16;

    private final BusOptions options;
    private final WatchedConfig source;
    private final EventLoop loop = EventLoop.open();
    private final CompletableFuture<Broker> opened = new CompletableFuture<>();
    private final Thread thread = new Thread(this::run, "holdfast-bus");
    private volatile List<BusAddress> addresses = List.of();
    private volatile boolean stopped;
    private volatile boolean ended;
    private final Set<CompletableFuture<?>> pendingReplies = ConcurrentHashMap.newKeySet();

    private Bus(BusOptions options) {
        this.options = options;
        this.source = new WatchedConfig(options.config, this::reloadAfterChange);
    }

    /**
     * Opens a bus at one address. It listens when this returns.
     *
     * @throws io.holdfast.dbus.address.BusAddressException if nothing can listen at such an address
     * @throws io.holdfast.core.ErrnoException EADDRINUSE, EACCES, ENOENT (no such folder)
     */
    public static Bus open(BusAddress address, BusConfig config) {
        try {
            return open(BusOptions.of(() -> config, address));
        } catch (ConfigException e) {
            throw new AssertionError(e); // it was read before
        }
    }

    /**
     * Opens a bus. It listens when this returns.
     *
     * @throws ConfigException if the configuration is wrong
     * @throws io.holdfast.dbus.address.BusAddressException if nothing can listen at such an address
     * @throws io.holdfast.core.ErrnoException EADDRINUSE, EACCES, ENOENT (no such folder)
     * @throws IllegalArgumentException if neither the options nor the configuration have an address
     */
    public static Bus open(BusOptions options) throws ConfigException {
        Bus bus = new Bus(options);
        bus.thread.start();
        try {
            Broker ignored = bus.opened.join();
            return bus;
        } catch (CompletionException e) {
            switch (e.getCause()) {
                case ConfigException cause -> throw cause;
                case RuntimeException cause -> throw cause;
                case null, default -> throw e;
            }
        }
    }

    /** Returns the addresses at which clients connect, the last one first, each with its guid. */
    public List<BusAddress> addresses() {
        return addresses;
    }

    /**
     * Reads the configuration and the service files again, as SIGHUP does for a bus in the
     * foreground, and as happens automatically when a file in one of their folders changes. New
     * policies and limits apply to connected clients too.
     *
     * @return completes with empty when the new configuration is in effect, or with what is wrong
     *     with it: then the old one stays in effect. Fails with IllegalStateException if the bus is
     *     closed or closes meanwhile
     */
    public CompletableFuture<Optional<String>> reload() {
        return request((broker, result) ->
                broker.reload(error -> result.complete(Optional.ofNullable(error))));
    }

    /**
     * Returns how full the bus is now, and which connections and users fill it. The future fails
     * with IllegalStateException if the bus is closed or closes meanwhile.
     */
    public CompletableFuture<BusMetrics> metrics() {
        return request((broker, result) -> result.complete(broker.metrics()));
    }

    /** Has the bus's thread complete a future, which fails if the bus ends before that. */
    @SuppressWarnings("UndefinedEquals") // every request has its own future
    private <T> CompletableFuture<T> request(BiConsumer<Broker, CompletableFuture<T>> work) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Broker broker = opened.join();
        boolean ignored = pendingReplies.add(result);
        var _ = result.whenComplete((_, _) -> pendingReplies.remove(result));
        try {
            loop.post(() -> work.accept(broker, result));
        } catch (RejectedExecutionException e) {
            isClosed(result);
        }
        if (ended) {
            isClosed(result);
        }
        return result;
    }

    private static void isClosed(CompletableFuture<?> answer) {
        boolean ignored =
                answer.completeExceptionally(new IllegalStateException("the bus is closed"));
    }

    private void run() {
        try {
            serve();
        } finally {
            ended = true;
            List.copyOf(pendingReplies).forEach(Bus::isClosed);
        }
    }

    private void serve() {
        try (loop;
                source) {
            BusConfig config = source.load();
            makeRuntimeFolder(config);
            try (Broker broker = new Broker(loop, Bus::newId, options, source, config)) {
                listen(broker, config);
                broker.startServices(
                        activator(broker, config),
                        ActivatableServices.load(
                                config.serviceFolders(), "system".equals(config.type())),
                        config);
                opened.complete(broker);
                while (!stopped) {
                    broker.turn();
                }
            }
        } catch (ConfigException e) {
            boolean ignored = opened.completeExceptionally(e);
        } catch (RuntimeException | Error e) {
            if (!opened.completeExceptionally(e)) {
                throw e;
            }
        }
    }

    private static void makeRuntimeFolder(BusConfig config) {
        try {
            config.makeRuntimeFolder();
        } catch (IOException e) {
            LOG.log(Level.WARNING, "no folder for services of this session: {0}", e.toString());
        }
    }

    /** Returns when the reload is over, so that changes meanwhile lead to one more reload. */
    private void reloadAfterChange() {
        try {
            Optional<String> _ = reload().join(); // an error in the configuration is already logged
        } catch (CompletionException e) {
            // the bus is closed
        }
    }

    private void listen(Broker broker, BusConfig config) {
        List<BusAddress> wanted = new ArrayList<>(options.addresses);
        if (wanted.isEmpty()) {
            config.listen().forEach(text -> wanted.addAll(BusAddress.parseList(text)));
        }
        if (wanted.isEmpty()) {
            throw new IllegalArgumentException("no address to listen at");
        }
        boolean made =
                wanted.stream().allMatch(one -> Transport.of(one) instanceof Transport.Folder);
        broker.firstNumber(made ? 0 : UniqueName.firstOfSuccessor());
        List<BusAddress> listening = new ArrayList<>();
        for (BusAddress address : wanted) {
            for (BusListener listener : BusListener.listen(address)) {
                String guid = newId();
                broker.listen(listener.listener(), guid);
                listening.add(listener.address().withGuid(guid));
            }
        }
        Collections.reverse(listening);
        addresses = List.copyOf(listening);
    }

    private Activator activator(Broker broker, BusConfig config) {
        return options.activator.orElseGet(() ->
                new SpawnActivator(
                        addresses.getFirst().toString(),
                        config.type() == null ? "" : config.type(),
                        broker.ownUid(),
                        options.serviceUmask));
    }

    private static String newId() {
        byte[] bytes = new byte[ID_BYTES];
        RANDOM.nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    /**
     * Disconnects all clients and stops listening; returns when that is done. Idempotent. An
     * interrupt does not end the waiting; the interrupt status is kept. On the bus's own thread,
     * for example in a callback of a {@link #reload}, it does not wait.
     */
    @Override
    public void close() {
        stopped = true;
        loop.postEnding(() -> {});
        if (Thread.currentThread().equals(thread)) {
            return;
        }
        Uninterruptible.join(thread);
    }
}
