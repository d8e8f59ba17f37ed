package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static io.holdfast.dbus.BusNames.BUS_PATH;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.account.Resource;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.policy.Party;
import io.holdfast.dbus.wire.BodyReader;
import io.holdfast.dbus.wire.BodyWriter;
import io.holdfast.dbus.wire.MatchRule;
import io.holdfast.dbus.wire.MatchRuleException;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.MessageView;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Syntax;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * The bus as a peer: the methods of org.freedesktop.DBus (D-Bus Specification, "Message Bus
 * Messages") and of the interfaces that every object has. A table says which there are; the rest of
 * this file is what they do.
 */
final class Driver {
    static final String PEER = "org.freedesktop.DBus.Peer";
    static final String INTROSPECTABLE = "org.freedesktop.DBus.Introspectable";
    static final String PROPERTIES = "org.freedesktop.DBus.Properties";
    static final String MONITORING = "org.freedesktop.DBus.Monitoring";
    static final String STATS = "org.freedesktop.DBus.Debug.Stats";

    private static final Signature NOTHING = Signature.of("");
    private static final Signature BOOLEAN = Signature.of("b");
    private static final Signature STRING = Signature.of("s");
    private static final Signature STRINGS = Signature.of("as");
    private static final Signature UINT32 = Signature.of("u");

    private final Broker broker;
    private final CredentialsReply credentials;
    private final DriverProperties properties;
    private final DriverStats stats;
    private final Map<String, Map<String, DriverMethod>> interfaces = new LinkedHashMap<>();
    private final Map<String, DriverMethod> members = new HashMap<>();

    Driver(Broker broker) {
        this.broker = broker;
        this.credentials = new CredentialsReply(broker);
        this.properties = new DriverProperties(broker);
        this.stats = new DriverStats(broker);
        List.of(
                        ofBus("Hello", "", "s", this::hello),
                        ofBus("RequestName", "su", "u", this::requestName),
                        ofBus("ReleaseName", "s", "u", this::releaseName),
                        ofBus("StartServiceByName", "su", "u", this::startServiceByName),
                        new DriverMethod(
                                BUS,
                                "UpdateActivationEnvironment",
                                "a{ss}",
                                "",
                                false,
                                this::updateActivationEnvironment),
                        ofBus("NameHasOwner", "s", "b", this::nameHasOwner),
                        ofBus("ListNames", "", "as", this::listNames),
                        ofBus("ListActivatableNames", "", "as", this::listActivatableNames),
                        ofBus("AddMatch", "s", "", this::addMatch),
                        ofBus("RemoveMatch", "s", "", this::removeMatch),
                        ofBus("GetNameOwner", "s", "s", this::getNameOwner),
                        ofBus("ListQueuedOwners", "s", "as", this::listQueuedOwners),
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
                        canonical(MONITORING, "BecomeMonitor", "asu", "", this::becomeMonitor),
                        canonical(STATS, "GetStats", "", "a{sv}", stats::bus),
                        canonical(STATS, "GetConnectionStats", "s", "a{sv}", stats::connection),
                        canonical(STATS, "GetAllMatchRules", "", "a{sas}", stats::matchRules))
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
        members.putIfAbsent(method.member(), method);
    }

    /** Its interfaces and their methods, in the order in which they are told. */
    Map<String, Map<String, DriverMethod>> interfaces() {
        return interfaces;
    }

    /** Answers one call to the bus, or to nobody. */
    void call(Connection from, MessageView call) {
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
            broker.router.refuse(from, call, e.error(), e.text());
        }
    }

    private DriverMethod find(Connection from, MessageView call) throws BusErrorException {
        String interfaceName = call.interfaceName();
        String member = String.valueOf(call.member());
        boolean hello =
                member.equals("Hello") && (interfaceName == null || interfaceName.equals(BUS));
        if (!from.isRegistered() && !hello) {
            throw new BusErrorException(
                    BusError.ACCESS_DENIED,
                    "say Hello first: " + member + " is for those who have");
        }
        DriverMethod method;
        if (interfaceName == null) {
            method = members.get(member);
        } else {
            Map<String, DriverMethod> methods = interfaces.get(interfaceName);
            if (methods == null && !call.hasDestination()) {
                methods = Map.of();
            }
            if (methods == null) {
                throw new BusErrorException(
                        BusError.UNKNOWN_INTERFACE, "the bus has no interface " + interfaceName);
            }
            method = methods.get(member);
        }
        if (method == null || (!call.hasDestination() && !method.interfaceName().equals(PEER))) {
            throw new BusErrorException(
                    BusError.UNKNOWN_METHOD,
                    "the bus has no method "
                            + member
                            + (call.hasDestination() ? "" : " for calls without a destination"));
        }
        if (!method.anywhere() && !BUS_PATH.equals(call.path())) {
            throw new BusErrorException(
                    method.interfaceName().equals(BUS)
                            ? BusError.ACCESS_DENIED
                            : BusError.UNKNOWN_INTERFACE,
                    "%s.%s is at %s alone".formatted(method.interfaceName(), member, BUS_PATH));
        }
        return method;
    }

    private void reply(
            Connection from, MessageView call, Signature signature, Consumer<BodyWriter> body) {
        broker.messages.reply(from, call, signature, null, body);
    }

    /** The text argument at that place. */
    static String text(MessageView call, int index) {
        byte[] utf8 = new byte[call.argLength(index)];
        MemorySegment.copy(call.bytes(), JAVA_BYTE, call.argOffset(index), utf8, 0, utf8.length);
        return new String(utf8, StandardCharsets.UTF_8);
    }

    private void hello(Connection from, MessageView call) throws BusErrorException {
        if (from.isRegistered()) {
            throw new BusErrorException(BusError.FAILED, from.name() + " has said Hello before");
        }
        broker.register(from);
        broker.monitors.seen(from, Party.bus(), call, null); // who it is from is known by now
        reply(from, call, STRING, body -> body.putString(from.name()));
        broker.messages.nameOwnerChanged(from.name(), "", from.name());
        broker.messages.nameAcquired(from, from.name());
    }

    private void requestName(Connection from, MessageView call) throws BusErrorException {
        BodyReader arguments = new BodyReader().read(call);
        String name = arguments.readString();
        int flags = (int) arguments.readUint32();
        ownable(name);
        String denied = broker.policies.refusesName(from, name);
        if (denied != null) {
            throw new BusErrorException(BusError.ACCESS_DENIED, denied);
        }
        BusName known = broker.names.find(name);
        boolean claims = known != null && known.indexOf(from) >= 0;
        if (!claims && !broker.charges.charge(from, Resource.NAME, 0)) {
            throw new BusErrorException(BusError.LIMITS_EXCEEDED, broker.charges.refusal());
        }
        NameRegistry.Request answer = broker.names.request(name, from, flags);
        broker.countNames(from);
        if (!claims && answer == NameRegistry.Request.EXISTS) {
            broker.charges.release(from, Resource.NAME);
        }
        reply(from, call, UINT32, body -> body.putUint32(answer.code));
    }

    private void releaseName(Connection from, MessageView call) throws BusErrorException {
        String name = text(call, 0);
        ownable(name);
        int answer = broker.names.release(name, from).code;
        reply(from, call, UINT32, body -> body.putUint32(answer));
    }

    private static void ownable(String name) throws BusErrorException {
        if (!Syntax.isWellKnownName(name)) {
            throw new BusErrorException(
                    BusError.INVALID_ARGS, "'" + name + "' is no well-known name");
        }
        if (name.equals(BUS)) {
            throw new BusErrorException(BusError.INVALID_ARGS, BUS + " is the bus itself");
        }
    }

    private void startServiceByName(Connection from, MessageView call) throws BusErrorException {
        String name = text(call, 0);
        if (!broker.activation.isActivatable(name)) {
            throw new BusErrorException(
                    BusError.SERVICE_UNKNOWN, "no service file offers the name " + name);
        }
        if (broker.isOwned(name)) {
            reply(from, call, UINT32, body -> body.putUint32(2));
            return;
        }
        broker.activation.start(from, name, call);
    }

    private void updateActivationEnvironment(Connection from, MessageView call)
            throws BusErrorException {
        privileged(from, "UpdateActivationEnvironment");
        Map<String, String> variables = new LinkedHashMap<>();
        BodyReader arguments = new BodyReader().read(call);
        arguments.enterArray();
        while (arguments.hasNext()) {
            arguments.enterDictEntry();
            String name = arguments.readString();
            if (name.isEmpty() || name.indexOf('=') >= 0) {
                throw new BusErrorException(
                        BusError.INVALID_ARGS, "'" + name + "' is no name of a variable");
            }
            variables.put(name, arguments.readString());
            arguments.leave();
        }
        broker.activation.updateEnvironment(from, variables);
        reply(from, call, NOTHING, body -> {});
    }

    private void privileged(Connection from, String what) throws BusErrorException {
        long uid = from.peer().uid();
        if (uid != 0 && uid != broker.ownUid()) {
            throw new BusErrorException(
                    BusError.ACCESS_DENIED,
                    what + " is for root and the user of the bus, not for user " + uid);
        }
    }

    private void nameHasOwner(Connection from, MessageView call) {
        boolean owned = broker.isOwned(text(call, 0));
        reply(from, call, BOOLEAN, body -> body.putBoolean(owned));
    }

    private void listNames(Connection from, MessageView call) {
        List<String> names = new ArrayList<>();
        names.add(BUS);
        broker.connections.all().forEach(connection -> names.add(connection.name()));
        TreeSet<String> wellKnown = new TreeSet<>();
        broker.names.all().forEach(name -> wellKnown.add(name.toString()));
        names.addAll(wellKnown);
        reply(from, call, STRINGS, body -> putAll(body, names));
    }

    private void listActivatableNames(Connection from, MessageView call) {
        List<String> names = new ArrayList<>();
        names.add(BUS);
        names.addAll(broker.activation.names());
        reply(from, call, STRINGS, body -> putAll(body, names));
    }

    private static void putAll(BodyWriter body, Iterable<String> texts) {
        body.beginArray();
        texts.forEach(body::putString);
        body.endArray();
    }

    private void addMatch(Connection from, MessageView call) throws BusErrorException {
        MatchRule rule = rule(text(call, 0));
        if (!broker.charges.chargeRule(from, rule)) {
            throw new BusErrorException(BusError.LIMITS_EXCEEDED, broker.charges.refusal());
        }
        broker.matches.add(from, rule);
        broker.countMatches(from);
        reply(from, call, NOTHING, body -> {});
    }

    private void removeMatch(Connection from, MessageView call) throws BusErrorException {
        MatchRule rule = rule(text(call, 0));
        if (!broker.matches.remove(from, rule)) {
            throw new BusErrorException(
                    BusError.MATCH_RULE_NOT_FOUND, from.name() + " has no rule " + rule);
        }
        broker.charges.release(from, Resource.MATCH_RULE, 1, rule.toString().length());
        reply(from, call, NOTHING, body -> {});
    }

    private static MatchRule rule(String text) throws BusErrorException {
        try {
            return MatchRule.parseSubscription(text);
        } catch (MatchRuleException e) {
            throw new BusErrorException(
                    BusError.MATCH_RULE_INVALID, String.valueOf(e.getMessage()));
        }
    }

    private void getNameOwner(Connection from, MessageView call) throws BusErrorException {
        String name = text(call, 0);
        String owner;
        if (name.equals(BUS)) {
            owner = BUS;
        } else {
            owner = owner(broker, name).name();
        }
        reply(from, call, STRING, body -> body.putString(owner));
    }

    /** Who owns a name, or is it. */
    static Connection owner(Broker broker, String name) throws BusErrorException {
        Connection owner = broker.find(name);
        if (owner == null) {
            throw new BusErrorException(BusError.NAME_HAS_NO_OWNER, "nobody owns the name " + name);
        }
        return owner;
    }

    private void listQueuedOwners(Connection from, MessageView call) throws BusErrorException {
        String name = text(call, 0);
        List<String> owners = new ArrayList<>();
        BusName known = broker.names.find(name);
        if (name.equals(BUS)) {
            owners.add(BUS);
        } else if (known != null) {
            known.queue.forEach(claim -> owners.add(claim.connection.name()));
        } else {
            owners.add(owner(broker, name).name());
        }
        reply(from, call, STRINGS, body -> putAll(body, owners));
    }

    private void reloadConfig(Connection from, MessageView call) {
        int serial = call.serial();
        boolean answered = (call.flags() & MessageFlags.NO_REPLY_EXPECTED) == 0;
        broker.reload(error -> {
            if (!answered || !from.isRegistered()) {
                return;
            }
            if (error != null) {
                broker.messages.error(from, serial, BusError.FAILED, error);
            } else {
                broker.messages.reply(from, serial, NOTHING, null, body -> {});
            }
        });
    }

    private void getId(Connection from, MessageView call) {
        reply(from, call, STRING, body -> body.putString(broker.id()));
    }

    private void getMachineId(Connection from, MessageView call) throws BusErrorException {
        String id = broker.machineId();
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

    private void becomeMonitor(Connection from, MessageView call) throws BusErrorException {
        privileged(from, "BecomeMonitor");
        BodyReader arguments = new BodyReader().read(call);
        List<MatchRule> rules = new ArrayList<>();
        int most = from.account().limits().getInt(BusLimit.MAX_MATCH_RULES_PER_CONNECTION);
        arguments.enterArray();
        while (arguments.hasNext()) {
            if (rules.size() >= most) {
                broker.charges.over(from, BusLimit.MAX_MATCH_RULES_PER_CONNECTION);
                throw new BusErrorException(
                        BusError.LIMITS_EXCEEDED,
                        BusLimit.MAX_MATCH_RULES_PER_CONNECTION
                                + " is "
                                + most
                                + ": no more rules");
            }
            try {
                rules.add(MatchRule.parse(arguments.readString()));
            } catch (MatchRuleException e) {
                throw new BusErrorException(
                        BusError.MATCH_RULE_INVALID, String.valueOf(e.getMessage()));
            }
        }
        arguments.leave();
        if (rules.isEmpty()) {
            rules.add(MatchRule.ANY);
        }
        int flags = (int) arguments.readUint32();
        if (flags != 0) {
            throw new BusErrorException(
                    BusError.INVALID_ARGS,
                    "BecomeMonitor has no flags: 0x" + Integer.toHexString(flags));
        }
        if (!broker.charges.replaceRules(from, rules)) {
            throw new BusErrorException(BusError.LIMITS_EXCEEDED, broker.charges.refusal());
        }
        reply(from, call, NOTHING, body -> {});
        broker.becomeMonitor(from, rules);
    }
}
