package io.holdfast.bus.activation;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.account.Charge;
import io.holdfast.bus.account.ChargedResource;
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
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.Syntax;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.Signature;
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
 * The activatable names and the starts under way. Messages to such a name wait, in order, until the
 * name has an owner or the start fails.
 */
public final class ServiceActivation implements AutoCloseable {
    private static final Signature UINT32 = Signature.of("u");
    private static final int STARTED = 1;

    /** A message that waits, or a call of StartServiceByName that waits and has no buffer. */
    private record Held(
            Connection from,
            int serial,
            boolean isAnswered,
            Buffers.@Nullable Buffer buffer,
            int length,
            @Nullable PassedFds fds,
            Charge charge) {}

    /** One service start under way. */
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
                                                    + " did not start within "
                                                    + charges.limits()
                                                            .get(BusLimit.SERVICE_START_TIMEOUT)
                                                    + " ms"));
        }

        @Override
        public void failed(String error, String text) {
            loop.postEnding(() -> failNow(error, text));
        }

        /**
         * Fails the start, on the loop. The error name comes from outside, and is replaced if
         * invalid.
         */
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
    private final @Nullable UnitActivation units; // null if one activator starts all services
    private @Nullable Activator activator;
    private Map<String, ServiceFile> services = Map.of();
    private Map<String, Integer> variableBytes = Map.of();
    private final Map<String, Starting> starting = new LinkedHashMap<>(); // the oldest first
    private final MessageView view = new MessageView();
    private EventLoop.@Nullable Timer managerReturn; // while the service manager has left

    /**
     * @param units null if one activator starts all services
     */
    public ServiceActivation(
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

    /** Sets the services and the activator that starts them; before, no service can be started. */
    public void begin(Activator starter, Map<String, ServiceFile> known) {
        activator = starter;
        services = new TreeMap<>(known);
    }

    public boolean isActivatable(String name) {
        return services.containsKey(name) || (units != null && units.isAwaited(name));
    }

    /** Returns all activatable names, sorted. */
    public List<String> names() {
        return List.copyOf(services.keySet());
    }

    /** Adds variables to the environment of services that start from now on. */
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
                    "%s is %d, and these variables would make it %d"
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

    /** Handles StartServiceByName; the reply is sent when the name has an owner. */
    public void start(Connection from, String name, MessageView call) throws BusErrorException {
        // counts as a call that waits for its reply
        Charge charge = charges.hold(from, ChargedResource.REPLY);
        if (charge == null) {
            throw new BusErrorException(BusError.LIMITS_EXCEEDED, charges.refusal());
        }
        boolean answered = (call.flags() & MessageFlags.NO_REPLY_EXPECTED) == 0;
        Held held = new Held(from, call.serial(), answered, null, 0, null, charge);
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

    /** Holds a message for a name until the name has an owner. */
    public void hold(Connection from, String name, MessageView message, @Nullable PassedFds fds)
            throws BusErrorException {
        int length = message.length();
        Charge charge =
                charges.quota()
                        .hold(
                                from.account(),
                                ChargedResource.HELD,
                                1,
                                length,
                                fds == null ? 0 : fds.size());
        if (charge == null) {
            throw new BusErrorException(
                    BusError.LIMITS_EXCEEDED,
                    "the message cannot wait for %s to start: %s"
                            .formatted(name, charges.refusal()));
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
        addTo(name, new Held(from, message.serial(), answered, buffer, length, fds, charge));
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
                    BusError.SERVICE_UNKNOWN, "name " + name + " has no service file");
        }
        boolean isUnit = units != null && units.takes(service);
        if (units != null && isUnit && units.isManagerGone()) {
            throw new BusErrorException(BusError.TIMED_OUT, managerGoneText(name));
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

    /**
     * Handles a signal to the bus: fails the starts of a unit if the service manager reports that
     * the unit did not start.
     */
    public void signalled(Connection from, MessageView signal) {
        UnitActivation.Failure failure = units == null ? null : units.failure(from, signal);
        if (units == null || failure == null) {
            return;
        }
        for (Starting start : List.copyOf(starting.values())) {
            if (start.isUnit && failure.unit().equals(units.unit(start.service))) {
                start.failNow(failure.error(), failure.text());
            }
        }
    }

    /** Requests every unit that a start waits for from a service manager that has come. */
    private void managerAppeared(UnitActivation activation, Connection manager) {
        awaitManagerNoLonger();
        activation.managerAppeared(manager);
        for (Starting start : starting.values()) {
            if (start.isUnit) {
                activation.requestLate(manager, start.service);
            }
        }
    }

    /**
     * Notes that a name has no owner any more. If it is the service manager's, the manager may have
     * died, and the starts that it was to do must not wait until they time out: the manager has a
     * while to come back, and then receives the requests again; otherwise the starts fail.
     */
    public void disappeared(String name) {
        if (units != null && name.equals(BusMessages.MANAGER)) {
            awaitManagerNoLonger();
            managerReturn =
                    loop.after(
                            Duration.ofMillis(
                                    charges.limits().get(BusLimit.SERVICE_MANAGER_RETURN_TIMEOUT)),
                            () -> managerGone(units));
        }
    }

    private void awaitManagerNoLonger() {
        if (managerReturn != null) {
            managerReturn.cancel();
            managerReturn = null;
        }
    }

    private void managerGone(UnitActivation activation) {
        managerReturn = null;
        activation.managerGone();
        for (Starting start : List.copyOf(starting.values())) {
            if (start.isUnit) {
                fail(start, BusError.TIMED_OUT.wireName(), managerGoneText(start.name));
            }
        }
    }

    private String managerGoneText(String name) {
        return ("%s: service manager has been off the bus for more than %d ms;"
                        + " retry when it is back")
                .formatted(name, charges.limits().get(BusLimit.SERVICE_MANAGER_RETURN_TIMEOUT));
    }

    /** Notes that a name has an owner, and delivers the messages that waited for it. */
    public void appeared(String name, Connection owner) {
        if (units != null && name.equals(BusMessages.MANAGER)) {
            managerAppeared(units, owner);
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

    /** Drops everything that a leaving connection waits for. */
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
            buffers.release(held.buffer);
        }
        held.charge.close();
        if (held.fds != null) {
            held.fds.drop();
        }
    }

    private void fail(Starting start, String error, String text) {
        if (!starting.remove(start.name, start)) {
            return; // it has an owner, or failed before
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
