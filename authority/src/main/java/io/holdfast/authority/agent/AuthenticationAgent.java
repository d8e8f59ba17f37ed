package io.holdfast.authority.agent;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.authority.client.Authority;
import io.holdfast.authority.polkit1.PolicyKit1;
import io.holdfast.core.ErrnoException;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.BusInterface;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.ExportedObject;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.Variant;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * An authentication agent for polkit and Holdfast: it lets a user authenticate whenever the
 * authority requests it. It registers with the authority, again with each restarted authority,
 * until it is closed. It accepts calls only from the authority. Dialogs are shown one after the
 * other; a cancelled dialog ends at once.
 *
 * <p>Thread-safe.
 */
public final class AuthenticationAgent implements AutoCloseable {
    /** The path of the object that authorities call. */
    static final String PATH = "/org/freedesktop/PolicyKit1/AuthenticationAgent";

    private static final Logger LOG = System.getLogger(AuthenticationAgent.class.getName());
    private static final Duration FAREWELL = Duration.ofSeconds(2);

    private final BusConnection bus;
    private final AgentSubject subject;
    private final AgentOptions options;
    private final AgentUserInterface face;
    private final Dialogs dialogs;

    /** Lets one dialog at a time be shown; others wait in the order in which they came. */
    private final Semaphore turn = new Semaphore(1, true);

    private final AtomicBoolean closed = new AtomicBoolean();
    private final CompletableFuture<Void> end = new CompletableFuture<>();

    /** The authority's unique name; its NameOwnerChanged may come after the registration. */
    private volatile String registeredWith = "";

    private @Nullable ExportedObject object;
    private @Nullable Subscription owners;

    private AuthenticationAgent(
            BusConnection bus,
            AgentSubject subject,
            AgentOptions options,
            AgentUserInterface face) {
        this.bus = bus;
        this.subject = subject;
        this.options = options;
        this.face = face;
        this.dialogs = new Dialogs(options.dialogs());
    }

    /**
     * Registers an agent. A bus connection can have one agent.
     *
     * @param bus lent until the agent is closed, as are subject and face
     * @throws DBusException if the authority refuses it: the subject has another agent, or belongs
     *     to another user
     * @throws ConnectionLostException if the connection is lost
     * @throws ErrnoException ESRCH if the subject has gone
     */
    public static AuthenticationAgent register(
            BusConnection bus, AgentSubject subject, AgentOptions options, AgentUserInterface face)
            throws InterruptedException {
        AuthenticationAgent agent = new AuthenticationAgent(bus, subject, options, face);
        boolean registered = false;
        try {
            agent.open();
            registered = true;
            return agent;
        } finally {
            if (!registered) {
                agent.withdraw();
            }
        }
    }

    private void open() throws InterruptedException {
        object = bus.export(PATH, described());
        // before the registration, so that no new owner is missed
        Subscription changes =
                bus.subscribe(
                        "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='"
                                + Authority.BUS_NAME
                                + "'");
        owners = changes;
        registerOnce();
        var _ =
                Thread.ofVirtual()
                        .name("owner of " + Authority.BUS_NAME)
                        .start(() -> follow(changes));
    }

    private BusInterface described() {
        return BusInterface.named(PolicyKit1.AGENT_INTERFACE)
                .concurrent()
                .method(
                        "BeginAuthentication",
                        AuthenticationRequest.SIGNATURE,
                        "",
                        this::begin,
                        "action_id",
                        "message",
                        "icon_name",
                        "details",
                        "cookie",
                        "identities")
                .method("CancelAuthentication", "s", "", this::cancel, "cookie")
                .build();
    }

    private void registerOnce() throws InterruptedException {
        Map<String, Variant> fallback =
                options.fallback() ? Map.of("fallback", Variant.of(true)) : Map.of();
        try (Message reply =
                authority()
                        .exchange(
                                Authority.BUS_INTERFACE,
                                "RegisterAuthenticationAgentWithOptions",
                                "(sa{sv})ssa{sv}",
                                subject.struct(bus.passesDescriptors()),
                                options.locale(),
                                PATH,
                                fallback)) {
            registeredWith = String.valueOf(reply.sender());
        }
    }

    private RemoteObject authority() {
        return bus.object(Authority.BUS_NAME, Authority.OBJECT_PATH);
    }

    /** Registers again with each new process of the authority, until the connection ends. */
    private void follow(Subscription changes) {
        try {
            for (; ; ) {
                try (Message change = changes.take()) {
                    List<Object> values = change.values();
                    if (values.get(2) instanceof String owner && !owner.equals(registeredWith)) {
                        dialogs.interruptAll(); // the authority that requested them has gone
                        if (!owner.isEmpty()) {
                            registerAgain(owner);
                        }
                    }
                }
            }
        } catch (ConnectionLostException e) {
            boolean _ = end.completeExceptionally(e);
        } catch (IllegalStateException | InterruptedException e) {
            boolean _ = end.complete(null); // closed
        }
    }

    private void registerAgain(String owner) throws InterruptedException {
        try {
            registerOnce();
            LOG.log(Level.INFO, "registered again, for {0}, with {1}", subject, owner);
        } catch (DBusException e) {
            LOG.log(
                    Level.WARNING,
                    "agent for {0}: cannot register with the new authority process: {1}",
                    subject,
                    e.getMessage());
        } catch (ErrnoException e) {
            boolean _ = end.completeExceptionally(e); // the subject has gone
        }
    }

    /**
     * Returns a future that completes when the agent has ended: exceptionally with the reason if it
     * was not closed.
     */
    public CompletableFuture<Void> onEnd() {
        return end.copy();
    }

    private List<?> begin(MethodCall call) throws Exception {
        requireAuthority(call);
        AuthenticationRequest request = AuthenticationRequest.of(call);
        if (!dialogs.add(request.cookie(), Thread.currentThread())) {
            throw new DBusException(
                    PolicyKit1.FAILED, "too many dialogs, or this cookie has one already");
        }
        try {
            turn.acquire();
            try {
                dialogs.show(Thread.currentThread());
                if (!new AgentDialog(request, options, face).run()) {
                    throw new DBusException(PolicyKit1.FAILED, "the user has not authenticated");
                }
            } finally {
                turn.release();
            }
            return List.of();
        } catch (DismissedException e) {
            throw new DBusException(PolicyKit1.CANCELLED, String.valueOf(e.getMessage()));
        } catch (InterruptedException e) {
            throw new DBusException(PolicyKit1.CANCELLED, "the dialog was cancelled");
        } catch (IOException | ErrnoException e) {
            LOG.log(Level.WARNING, "a dialog about {0} failed: {1}", request, e.getMessage());
            throw new DBusException(PolicyKit1.FAILED, String.valueOf(e.getMessage()));
        } finally {
            dialogs.remove(request.cookie());
        }
    }

    private List<?> cancel(MethodCall call) throws InterruptedException {
        requireAuthority(call);
        if (!dialogs.interrupt(call.string(0))) {
            throw new DBusException(PolicyKit1.FAILED, "there is no such dialog");
        }
        return List.of();
    }

    /** Refuses callers other than the authority: they could ask the user for passwords. */
    private void requireAuthority(MethodCall call) throws InterruptedException {
        Optional<String> owner = bus.owner(Authority.BUS_NAME);
        if (owner.isEmpty() || !owner.get().equals(call.sender())) {
            throw new DBusException(
                    DBusException.ACCESS_DENIED, "you are not " + Authority.BUS_NAME);
        }
    }

    /**
     * Dismisses the dialog that is shown, as if the user had done so. The next waiting one follows.
     *
     * @return false if none is shown
     */
    public boolean dismiss() {
        return dialogs.interruptShown();
    }

    /** Dismisses all dialogs, and unregisters, for two seconds at most. Idempotent. */
    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        dialogs.interruptAll();
        try {
            if (bus.isOpen()) {
                authority()
                        .withoutStart()
                        .withTimeout(FAREWELL)
                        .call(
                                Authority.BUS_INTERFACE,
                                "UnregisterAuthenticationAgent",
                                "(sa{sv})s",
                                subject.struct(bus.passesDescriptors()),
                                PATH);
            }
        } catch (DBusException | ConnectionLostException | ErrnoException e) {
            // the authority or the subject has gone
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        withdraw();
    }

    private void withdraw() {
        if (owners != null) {
            owners.close();
        }
        if (object != null) {
            object.close();
        }
    }

    @Override
    public String toString() {
        return "agent for " + subject;
    }

    /** The dialogs that are shown or waiting, and their threads. */
    private static final class Dialogs {
        private final int limit;

        @GuardedBy("this")
        private final Map<String, Thread> threads = new HashMap<>();

        @GuardedBy("this")
        private @Nullable Thread shown;

        Dialogs(int limit) {
            this.limit = limit;
        }

        /** Adds a dialog; returns false if there are too many, or the cookie has one already. */
        synchronized boolean add(String cookie, Thread thread) {
            return threads.size() < limit && threads.putIfAbsent(cookie, thread) == null;
        }

        synchronized void show(Thread thread) {
            shown = thread;
        }

        /** Removes a dialog. Its thread is not interrupted any more, and can send the reply. */
        synchronized void remove(String cookie) {
            Thread thread = threads.remove(cookie);
            if (thread == shown) {
                shown = null;
            }
            boolean _ = Thread.interrupted();
        }

        synchronized boolean interrupt(String cookie) {
            return interrupt(threads.get(cookie));
        }

        synchronized boolean interruptShown() {
            return interrupt(shown);
        }

        private static boolean interrupt(@Nullable Thread thread) {
            if (thread != null) {
                thread.interrupt();
            }
            return thread != null;
        }

        synchronized void interruptAll() {
            threads.values().forEach(Thread::interrupt);
        }
    }
}
