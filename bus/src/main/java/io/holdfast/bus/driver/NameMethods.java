package io.holdfast.bus.driver;

import static io.holdfast.dbus.BusNames.BUS;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.account.Charge;
import io.holdfast.bus.account.ChargedResource;
import io.holdfast.bus.connection.BusName;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.Connections;
import io.holdfast.bus.connection.NameRegistry;
import io.holdfast.bus.connection.Policies;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.dbus.marshal.BodyReader;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.Syntax;
import io.holdfast.dbus.wire.Signature;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** The methods of the bus about names. */
public final class NameMethods {
    private static final Signature BOOLEAN = Signature.of("b");
    private static final Signature STRING = Signature.of("s");
    private static final Signature STRINGS = Signature.of("as");
    private static final Signature UINT32 = Signature.of("u");

    private final Membership members;
    private final Connections connections;
    private final NameRegistry names;
    private final Policies policies;
    private final BusMessages messages;

    public NameMethods(
            Membership members,
            Connections connections,
            NameRegistry names,
            Policies policies,
            BusMessages messages) {
        this.members = members;
        this.connections = connections;
        this.names = names;
        this.policies = policies;
        this.messages = messages;
    }

    void requestName(Connection from, MessageView call) throws BusErrorException {
        BodyReader arguments = new BodyReader().read(call);
        String name = arguments.readString();
        int flags = (int) arguments.readUint32();
        ownable(name);
        String denied = policies.refusesName(from, name);
        if (denied != null) {
            throw new BusErrorException(BusError.ACCESS_DENIED, denied);
        }
        BusName known = names.find(name);
        boolean isQueued = known != null && known.indexOf(from) >= 0;
        Charge charge = isQueued ? null : connections.charges().hold(from, ChargedResource.NAME);
        if (!isQueued && charge == null) {
            throw new BusErrorException(BusError.LIMITS_EXCEEDED, connections.charges().refusal());
        }
        NameRegistry.Request answer = names.request(name, from, flags, charge);
        members.countNames(from);
        if (charge != null && answer == NameRegistry.Request.EXISTS) {
            charge.close();
        }
        messages.reply(from, call, UINT32, null, body -> body.putUint32(answer.code));
    }

    void releaseName(Connection from, MessageView call) throws BusErrorException {
        String name = Driver.text(call, 0);
        ownable(name);
        int answer = names.release(name, from).code;
        messages.reply(from, call, UINT32, null, body -> body.putUint32(answer));
    }

    private static void ownable(String name) throws BusErrorException {
        if (!Syntax.isWellKnownName(name)) {
            throw new BusErrorException(
                    BusError.INVALID_ARGS, "'" + name + "' is not a well-known name");
        }
        if (name.equals(BUS)) {
            throw new BusErrorException(BusError.INVALID_ARGS, BUS + " is the bus itself");
        }
    }

    void nameHasOwner(Connection from, MessageView call) {
        boolean owned = names.isOwned(Driver.text(call, 0));
        messages.reply(from, call, BOOLEAN, null, body -> body.putBoolean(owned));
    }

    void listNames(Connection from, MessageView call) {
        List<String> all = new ArrayList<>();
        all.add(BUS);
        connections.registered().values().forEach(connection -> all.add(connection.name()));
        TreeSet<String> wellKnown = new TreeSet<>();
        names.all().forEach(name -> wellKnown.add(name.toString()));
        all.addAll(wellKnown);
        messages.reply(from, call, STRINGS, null, body -> Driver.putAll(body, all));
    }

    void getNameOwner(Connection from, MessageView call) throws BusErrorException {
        String name = Driver.text(call, 0);
        String owner;
        if (name.equals(BUS)) {
            owner = BUS;
        } else {
            owner = names.owner(name).name();
        }
        messages.reply(from, call, STRING, null, body -> body.putString(owner));
    }

    void listQueuedOwners(Connection from, MessageView call) throws BusErrorException {
        String name = Driver.text(call, 0);
        List<String> owners = new ArrayList<>();
        BusName known = names.find(name);
        if (name.equals(BUS)) {
            owners.add(BUS);
        } else if (known != null) {
            known.queue.forEach(queued -> owners.add(queued.connection.name()));
        } else {
            owners.add(names.owner(name).name());
        }
        messages.reply(from, call, STRINGS, null, body -> Driver.putAll(body, owners));
    }
}
