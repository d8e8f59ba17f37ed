package io.holdfast.bus.driver;

import static io.holdfast.dbus.BusNames.BUS;
import static io.holdfast.dbus.BusNames.BUS_PATH;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.Container;
import io.holdfast.bus.policy.Party;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.bus.route.Monitors;
import io.holdfast.dbus.marshal.BodyWriter;
import io.holdfast.dbus.marshal.HeaderField;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.Signature;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The bus as a peer: the methods of org.freedesktop.DBus (D-Bus Specification, "Message Bus
 * Messages") and of the interfaces that every object has. A table lists the methods; the rest of
 * this file finds and implements them.
 */
public final class Driver {
    static final String PEER = "org.freedesktop.DBus.Peer";
    static final String INTROSPECTABLE = "org.freedesktop.DBus.Introspectable";
    static final String PROPERTIES = "org.freedesktop.DBus.Properties";
    static final String MONITORING = "org.freedesktop.DBus.Monitoring";
    static final String STATS = "org.freedesktop.DBus.Debug.Stats";

    /** Reads the configuration again. */
    public interface Reloading {
        /**
         * Reads the configuration again.
         *
         * @param done receives null, or what is wrong with the configuration, when the reload is
         *     over
         */
        void reload(Consumer<@Nullable String> done);
    }

    private static final Signature NOTHING = Signature.of("");
    private static final Signature STRING = Signature.of("s");

    private final Membership members;
    private final Monitors monitors;
    private final BusMessages messages;
    private final BusFacts facts;
    private final Reloading reloading;
    private final Map<String, Map<String, DriverMethod>> interfaces = new LinkedHashMap<>();
    private final Map<String, DriverMethod> byMember = new HashMap<>();

    public Driver(
            Membership members,
            Monitors monitors,
            BusMessages messages,
            BusFacts facts,
            Reloading reloading,
            NameMethods names,
            MatchMethods matches,
            ServiceMethods services,
            CredentialsReply credentials,
            DriverProperties properties,
            DriverStats stats,
            @Nullable ContainerMethods containers) {
        this.members = members;
        this.monitors = monitors;
        this.messages = messages;
        this.facts = facts;
        this.reloading = reloading;
        List.of(
                        ofBus("Hello", "", "s", this::hello),
                        ofBus("RequestName", "su", "u", names::requestName),
                        ofBus("ReleaseName", "s", "u", names::releaseName),
                        ofBus("StartServiceByName", "su", "u", services::startServiceByName),
                        new DriverMethod(
                                BUS,
                                "UpdateActivationEnvironment",
                                "a{ss}",
                                "",
                                false,
                                services::updateActivationEnvironment),
                        ofBus("NameHasOwner", "s", "b", names::nameHasOwner),
                        ofBus("ListNames", "", "as", names::listNames),
                        ofBus("ListActivatableNames", "", "as", services::listActivatableNames),
                        ofBus("AddMatch", "s", "", matches::addMatch),
                        ofBus("RemoveMatch", "s", "", matches::removeMatch),
                        ofBus("GetNameOwner", "s", "s", names::getNameOwner),
                        ofBus("ListQueuedOwners", "s", "as", names::listQueuedOwners),
                        ofBus("GetConnectionUnixUser", "s", "u", credentials::user),
                        ofBus("GetConnectionUnixProcessID", "s", "u", credentials::processId),
                        ofBus("GetConnectionCredentials", "s", "a{sv}", credentials::all),
                        ofBus("GetAdtAuditSessionData", "s", "ay", credentials::adtAuditData),
                        ofBus(
                                "GetConnectionSELinuxSecurityContext",
                                "s",
                                "ay",
                                credentials::selinuxContext),
                        ofBus("ReloadConfig", "", "", this::reloadConfig),
                        ofBus("GetId", "", "s", this::getId),
                        anywhere(INTROSPECTABLE, "Introspect", "", "s", this::introspect),
                        anywhere(
                                PEER,
                                "Ping",
                                "",
                                "",
                                (from, call) -> reply(from, call, NOTHING, b -> {})),
                        anywhere(PEER, "GetMachineId", "", "s", this::getMachineId),
                        canonical(PROPERTIES, "Get", "ss", "v", properties::get),
                        canonical(PROPERTIES, "GetAll", "s", "a{sv}", properties::getAll),
                        canonical(PROPERTIES, "Set", "ssv", "", properties::set),
                        canonical(MONITORING, "BecomeMonitor", "asu", "", matches::becomeMonitor),
                        canonical(STATS, "GetStats", "", "a{sv}", stats::bus),
                        canonical(STATS, "GetConnectionStats", "s", "a{sv}", stats::connection),
                        canonical(STATS, "GetAllMatchRules", "", "a{sas}", stats::matchRules))
                .forEach(this::add);
        if (containers != null) {
            addContainers(containers);
        }
    }

    private void addContainers(ContainerMethods containers) {
        String in = Container.INTERFACE;
        List.of(
                        canonical(in, "AddServer", "ssa{sv}a{sv}", "oays", containers::addServer),
                        canonical(in, "StopInstance", "o", "", containers::stopInstance),
                        canonical(in, "StopListening", "o", "", containers::stopListening),
                        canonical(
                                in,
                                "GetInstanceInfo",
                                "o",
                                "a{sv}ssa{sv}",
                                containers::getInstanceInfo),
                        canonical(
                                in,
                                "GetConnectionInstance",
                                "s",
                                "oa{sv}ssa{sv}",
                                containers::getConnectionInstance))
                .forEach(this::add);
    }

    private static DriverMethod ofBus(
            String member, String in, String out, DriverMethod.Handler handler) {
        return new DriverMethod(BUS, member, in, out, true, handler);
    }

    private static DriverMethod anywhere(
            String interfaceName,
            String member,
            String in,
            String out,
            DriverMethod.Handler handler) {
        return new DriverMethod(interfaceName, member, in, out, true, handler);
    }

    private static DriverMethod canonical(
            String interfaceName,
            String member,
            String in,
            String out,
            DriverMethod.Handler handler) {
        return new DriverMethod(interfaceName, member, in, out, false, handler);
    }

    private void add(DriverMethod method) {
        DriverMethod before =
                interfaces
                        .computeIfAbsent(method.interfaceName(), name -> new LinkedHashMap<>())
                        .put(method.member(), method);
        assert before == null : method;
        byMember.putIfAbsent(method.member(), method);
    }

    /** Answers one call that is addressed to the bus, or has no destination. */
    public void call(Connection from, MessageView call) {
        try {
            DriverMethod method = find(from, call);
            if (!call.signature().equals(method.in().toString())) {
                throw new BusErrorException(
                        BusError.INVALID_ARGS,
                        "%s takes '%s', not '%s'"
                                .formatted(method.member(), method.in(), call.signature()));
            }
            method.handler().call(from, call);
        } catch (BusErrorException e) {
            messages.refuse(from, call, e.error(), e.text());
        }
    }

    private DriverMethod find(Connection from, MessageView call) throws BusErrorException {
        String interfaceName = call.interfaceName();
        String member = String.valueOf(call.member());
        boolean hello =
                member.equals("Hello") && (interfaceName == null || interfaceName.equals(BUS));
        if (!from.isRegistered() && !hello) {
            throw new BusErrorException(BusError.ACCESS_DENIED, member + ": call Hello first");
        }
        DriverMethod method;
        if (interfaceName == null) {
            method = byMember.get(member);
        } else {
            Map<String, DriverMethod> methods = interfaces.get(interfaceName);
            if (methods == null && !call.has(HeaderField.DESTINATION)) {
                methods = Map.of();
            }
            if (methods == null) {
                throw new BusErrorException(
                        BusError.UNKNOWN_INTERFACE, "the bus has no interface " + interfaceName);
            }
            method = methods.get(member);
        }
        if (method == null
                || (!call.has(HeaderField.DESTINATION) && !method.interfaceName().equals(PEER))) {
            throw new BusErrorException(
                    BusError.UNKNOWN_METHOD,
                    "the bus has no method "
                            + member
                            + (call.has(HeaderField.DESTINATION)
                                    ? ""
                                    : " for calls without a destination"));
        }
        if (!method.anywhere() && !BUS_PATH.equals(call.path())) {
            throw new BusErrorException(
                    method.interfaceName().equals(BUS)
                            ? BusError.ACCESS_DENIED
                            : BusError.UNKNOWN_INTERFACE,
                    "%s.%s is available at %s only"
                            .formatted(method.interfaceName(), member, BUS_PATH));
        }
        return method;
    }

    private void reply(
            Connection from, MessageView call, Signature signature, Consumer<BodyWriter> body) {
        messages.reply(from, call, signature, null, body);
    }

    /** Returns the string argument with an index. */
    static String text(MessageView call, int index) {
        byte[] utf8 = new byte[call.argLength(index)];
        MemorySegment.copy(call.bytes(), JAVA_BYTE, call.argOffset(index), utf8, 0, utf8.length);
        return new String(utf8, StandardCharsets.UTF_8);
    }

    private void hello(Connection from, MessageView call) throws BusErrorException {
        if (from.isRegistered()) {
            throw new BusErrorException(BusError.FAILED, from.name() + " has already called Hello");
        }
        members.join(from);
        monitors.seen(from, Party.bus(), call, null); // only now its sender has a name
        reply(from, call, STRING, body -> body.putString(from.name()));
        messages.nameOwnerChanged(from.name(), "", from.name());
        messages.nameAcquired(from, from.name());
    }

    static void putAll(BodyWriter body, Iterable<String> texts) {
        body.beginArray();
        texts.forEach(body::putString);
        body.endArray();
    }

    private void reloadConfig(Connection from, MessageView call) {
        int serial = call.serial();
        boolean answered = (call.flags() & MessageFlags.NO_REPLY_EXPECTED) == 0;
        reloading.reload(error -> {
            if (!answered || !from.isRegistered()) {
                return;
            }
            if (error != null) {
                messages.error(from, serial, BusError.FAILED, error);
            } else {
                messages.reply(from, serial, NOTHING, null, body -> {});
            }
        });
    }

    private void getId(Connection from, MessageView call) {
        reply(from, call, STRING, body -> body.putString(facts.id()));
    }

    private void getMachineId(Connection from, MessageView call) throws BusErrorException {
        String id = facts.machineId();
        if (id == null) {
            throw new BusErrorException(
                    BusError.FAILED, "there is no machine id in " + MachineId.FILES);
        }
        reply(from, call, STRING, body -> body.putString(id));
    }

    private void introspect(Connection from, MessageView call) {
        String xml = DriverIntrospection.of(String.valueOf(call.path()), interfaces);
        reply(from, call, STRING, body -> body.putString(xml));
    }
}
