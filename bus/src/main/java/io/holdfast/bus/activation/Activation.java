package io.holdfast.bus.activation;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.account.Quota.Account;
import io.holdfast.bus.account.Quota.Share;
import io.holdfast.bus.account.Resource;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.connection.Charges;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.RefusalLog;
import io.holdfast.bus.relay.Buffers;
import io.holdfast.bus.relay.PassedFds;
import io.holdfast.bus.relay.Relay;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.bus.route.Delivery;
import io.holdfast.bus.service.Activator;
import io.holdfast.bus.service.ServiceFile;
import io.holdfast.core.EventLoop;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.MessageView;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Syntax;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Names that can be activated, and starts under way. What is sent to such a name waits, in order,
 * until somebody owns it, or the start fails.
 */
public final class Activation implements AutoCloseable {
    private static final Signature UINT32 = Signature.of("u");
    private static final int STARTED = 1;

    /** A message, or a call of StartServiceByName (then without a buffer), that waits. */
    private record Held(
            Connection from,
            int serial,
            boolean isAnswered,
            Buffers.@Nullable Buffer buffer,
            int length,
            @Nullable PassedFds fds) {}

    /** One service that is being started. */
    private final class Starting implements Activator.Start {
        final String name;
        final @Nullable ServiceFile service; // null for the service manager itself
        final boolean isUnit;
        final List<Held> held = new ArrayList<>();
        final EventLoop.Timer deadline;

        Starting(String name, @Nullable ServiceFile service, boolean isUnit) {
            this.name = name;
            this.service = service;
            this.isUnit = isUnit;
            this.deadline =
                    loop.after(
                            Duration.ofMillis(charges.limits().get(BusLimit.SERVICE_START_TIMEOUT)),
                            () ->
                                    fail(
                                            this,
                                            BusError.TIMED_OUT.wireName(),
                                            name
                                                    + " did not come up in "
                                                    + charges.limits()
                                                            .get(BusLimit.SERVICE_START_TIMEOUT)
                                                    + " ms"));
        }

        @Override
        public void failed(String error, String text) {
            loop.postEnding(() -> failNow(error, text));
        }

        /** The same on the loop, with the words of somebody else. */
        void failNow(String error, String text) {
            String valid = Syntax.isErrorName(error) ? error : BusError.FAILED.wireName();
            fail(this, valid, text.replace('\0', ' '));
        }
    }

    private final EventLoop loop;
    private final Buffers buffers;
    private final Charges charges;
    private final Delivery delivery;
    private final BusMessages messages;
    private final RefusalLog log;
    private final @Nullable UnitActivation units; // where no other activator does all
    private @Nullable Activator activator;
    private Map<String, ServiceFile> services = Map.of();
    private Map<String, Integer> variableBytes = Map.of();
    private final Map<String, Starting> starting = new LinkedHashMap<>(); // the oldest first
    private final MessageView view = new MessageView();
    private EventLoop.@Nullable Timer managerReturn; // from when the service manager has left on

    /**
     * @param units null if one activator starts all services
     */
    public Activation(
            EventLoop loop,
            Buffers buffers,
            Charges charges,
            Delivery delivery,
            BusMessages messages,
            RefusalLog log,
            @Nullable UnitActivation units) {
        this.loop = loop;
        this.buffers = buffers;
        this.charges = charges;
        this.delivery = delivery;
        this.messages = messages;
        this.log = log;
        this.units = units;
    }

    /** From now on there are services, and somebody to start them. */
    public void begin(Activator starter, Map<String, ServiceFile> known) {
        activator = starter;
        services = new TreeMap<>(known);
    }

    public boolean isActivatable(String name) {
        return services.containsKey(name) || (units != null && units.isAwaited(name));
    }

    /** All names that can be activated, sorted. */
    public List<String> names() {
        return List.copyOf(services.keySet());
    }

    /** What services that start from now on have in their environment, besides what they had. */
    public void updateEnvironment(Connection from, Map<String, String> variables)
            throws BusErrorException {
        Map<String, Integer> all = new HashMap<>(variableBytes);
        variables.forEach((name, value) ->
                all.put(name, name.getBytes(UTF_8).length + value.getBytes(UTF_8).length));
        fits(from, BusLimit.MAX_ACTIVATION_VARIABLES, all.size());
        fits(
                from,
                BusLimit.MAX_ACTIVATION_VARIABLE_BYTES,
                all.values().stream().mapToLong(Integer::longValue).sum());
        variableBytes = all;
        if (activator != null) {
            activator.setEnvironment(variables);
        }
        if (units != null) {
            units.setEnvironment(variables);
        }
    }

    private void fits(Connection from, BusLimit limit, long wanted) throws BusErrorException {
        if (wanted > charges.limits().get(limit)) {
            charges.over(from, limit);
            throw new BusErrorException(
                    BusError.LIMITS_EXCEEDED,
                    "%s is %d, and with these it would be %d"
                            .formatted(limit, charges.limits().get(limit), wanted));
        }
    }

    public void reload(Map<String, ServiceFile> fresh) {
        Map<String, ServiceFile> sorted = new TreeMap<>(fresh);
        if (!sorted.equals(services)) {
            services = sorted;
            messages.activatableServicesChanged();
        }
    }

    /** StartServiceByName: answered when the name has an owner. */
    public void start(Connection from, String name, MessageView call) throws BusErrorException {
        if (!charges.charge(from, Resource.REPLY, 0)) { // it waits as for a reply
            throw new BusErrorException(BusError.LIMITS_EXCEEDED, charges.refusal());
        }
        boolean answered = (call.flags() & MessageFlags.NO_REPLY_EXPECTED) == 0;
        Held held = new Held(from, call.serial(), answered, null, 0, null);
        addTo(name, held);
    }

    private void addTo(String name, Held held) throws BusErrorException {
        try {
            begin(held.from, name).held.add(held);
        } catch (BusErrorException e) {
            release(held);
            throw e;
        }
    }

    /** Keeps a message for a name until it has an owner. */
    public void hold(Connection from, String name, MessageView message, @Nullable PassedFds fds)
            throws BusErrorException {
        int length = message.length();
        Share share =
                charges.quota()
                        .charge(
                                from.account(),
                                from.account(),
                                Resource.HELD,
                                length,
                                fds == null ? 0 : fds.size());
        if (share == null) {
            throw new BusErrorException(
                    BusError.LIMITS_EXCEEDED,
                    "it cannot wait for %s to start: %s".formatted(name, charges.refusal()));
        }
        Buffers.Buffer buffer = buffers.take(Relay.HEADROOM + length);
        MemorySegment.copy(
                message.bytes(), message.offset(), buffer.memory, Relay.HEADROOM, length);
        if (fds != null) {
            fds.keep();
        }
        boolean answered =
                message.type() == MessageType.METHOD_CALL
                        && (message.flags() & MessageFlags.NO_REPLY_EXPECTED) == 0;
        addTo(name, new Held(from, message.serial(), answered, buffer, length, fds));
    }

    private Starting begin(Connection from, String name) throws BusErrorException {
        Starting known = starting.get(name);
        if (known != null) {
            return known;
        }
        ServiceFile service = services.get(name);
        boolean awaited = units != null && units.isAwaited(name);
        if ((service == null && !awaited) || activator == null) {
            throw new BusErrorException(
                    BusError.SERVICE_UNKNOWN, "no service file offers the name " + name);
        }
        boolean isUnit = units != null && units.takes(service);
        if (units != null && isUnit && units.isLost()) {
            throw new BusErrorException(BusError.TIMED_OUT, managerHasLeft(name));
        }
        if (starting.size() >= charges.limits().getInt(BusLimit.MAX_PENDING_SERVICE_STARTS)) {
            charges.over(from, BusLimit.MAX_PENDING_SERVICE_STARTS);
            throw new BusErrorException(
                    BusError.LIMITS_EXCEEDED,
                    "max_pending_service_starts is %d, and as many services are being started"
                            .formatted(
                                    charges.limits().getInt(BusLimit.MAX_PENDING_SERVICE_STARTS)));
        }
        Starting start = new Starting(name, service, isUnit);
        starting.put(name, start);
        if (units != null && isUnit) {
            units.request(service);
        } else if (service != null) {
            activator.start(service, start);
        }
        return start;
    }

    /** A signal to the bus: that a unit did not start, if it is the manager that says so. */
    public void signalled(Connection from, MessageView signal) {
        UnitActivation.Failure failure = units == null ? null : units.failure(from, signal);
        if (failure == null) {
            return;
        }
        for (Starting start : List.copyOf(starting.values())) {
            if (start.isUnit
                    && start.service != null
                    && failure.unit().equals(start.service.systemdService())) {
                start.failNow(failure.error(), failure.text());
            }
        }
    }

    /** There is a service manager now, or another: it is asked for all that waits for a unit. */
    private void managerCame(UnitActivation asked, Connection manager) {
        awaitManagerNoLonger();
        asked.came(manager);
        for (Starting start : starting.values()) {
            if (start.isUnit) {
                asked.requestLate(manager, start.service);
            }
        }
    }

    /**
     * Nobody owns the name any more. The service manager may have died, and whoever waits for what
     * it was to start is not to wait for that until the start times out: it has a while to come
     * back, and is asked again then, or the starts fail.
     */
    public void disappeared(String name) {
        if (units != null && name.equals(BusMessages.MANAGER)) {
            awaitManagerNoLonger();
            managerReturn =
                    loop.after(
                            Duration.ofMillis(
                                    charges.limits().get(BusLimit.SERVICE_MANAGER_RETURN_TIMEOUT)),
                            () -> managerLost(units));
        }
    }

    private void awaitManagerNoLonger() {
        if (managerReturn != null) {
            managerReturn.cancel();
            managerReturn = null;
        }
    }

    private void managerLost(UnitActivation asked) {
        managerReturn = null;
        asked.lost();
        for (Starting start : List.copyOf(starting.values())) {
            if (start.isUnit) {
                fail(start, BusError.TIMED_OUT.wireName(), managerHasLeft(start.name));
            }
        }
    }

    private String managerHasLeft(String name) {
        return "%s cannot be started now: the service manager has left the bus, and did not come back in %d ms; try again when it has"
                .formatted(name, charges.limits().get(BusLimit.SERVICE_MANAGER_RETURN_TIMEOUT));
    }

    /** Somebody owns the name now: what waited for it goes there. */
    public void appeared(String name, Connection owner) {
        if (units != null && name.equals(BusMessages.MANAGER)) {
            managerCame(units, owner);
        }
        Starting start = starting.remove(name);
        if (start == null) {
            return;
        }
        start.deadline.cancel();
        for (Held held : start.held) {
            if (held.from.isRegistered() && held.buffer != null) {
                view.read(held.buffer.memory, Relay.HEADROOM, held.length);
                delivery.pass(held.from, owner, view, held.fds);
            } else if (held.from.isRegistered() && held.isAnswered) {
                messages.reply(
                        held.from, held.serial, UINT32, null, body -> body.putUint32(STARTED));
            }
            release(held);
        }
    }

    /** A connection is gone, and with it what it waits for. */
    public void forget(Connection gone) {
        for (Starting start : starting.values()) {
            start.held.removeIf(held -> {
                if (held.from != gone) {
                    return false;
                }
                release(held);
                return true;
            });
        }
    }

    private void release(Held held) {
        if (held.buffer != null) {
            buffers.give(held.buffer);
            Account account = held.from.account();
            int fds = held.fds == null ? 0 : held.fds.size();
            charges.quota().release(account, account.own(), Resource.HELD, 1, held.length, fds);
        } else {
            charges.release(held.from, Resource.REPLY);
        }
        if (held.fds != null) {
            held.fds.drop();
        }
    }

    private void fail(Starting start, String error, String text) {
        if (!starting.remove(start.name, start)) {
            return; // it came up, or failed before
        }
        start.deadline.cancel();
        log.notStarted(start.name, text);
        for (Held held : start.held) {
            if (held.from.isRegistered()) {
                if (held.isAnswered) {
                    messages.error(held.from, held.serial, error, text);
                } else {
                    messages.showError(held.from, held.serial, error, text);
                }
            }
            release(held);
        }
    }

    @Override
    public void close() {
        awaitManagerNoLonger();
        for (Starting start : starting.values()) {
            start.deadline.cancel();
            start.held.forEach(this::release);
        }
        starting.clear();
        if (activator != null) {
            activator.close();
        }
    }
}
