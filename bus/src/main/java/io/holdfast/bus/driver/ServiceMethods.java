package io.holdfast.bus.driver;

import static io.holdfast.dbus.BusNames.BUS;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.activation.ServiceActivation;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.NameRegistry;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.dbus.marshal.BodyReader;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.wire.Signature;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The methods of the bus about services that it can start. */
public final class ServiceMethods {
    private static final Signature NOTHING = Signature.of("");
    private static final Signature STRINGS = Signature.of("as");
    private static final Signature UINT32 = Signature.of("u");

    private final ServiceActivation activation;
    private final NameRegistry names;
    private final BusFacts facts;
    private final BusMessages messages;

    public ServiceMethods(
            ServiceActivation activation,
            NameRegistry names,
            BusFacts facts,
            BusMessages messages) {
        this.activation = activation;
        this.names = names;
        this.facts = facts;
        this.messages = messages;
    }

    void startServiceByName(Connection from, MessageView call) throws BusErrorException {
        String name = Driver.text(call, 0);
        if (!activation.isActivatable(name)) {
            throw new BusErrorException(
                    BusError.SERVICE_UNKNOWN, "name " + name + " has no service file");
        }
        if (names.isOwned(name)) {
            messages.reply(from, call, UINT32, null, body -> body.putUint32(2));
            return;
        }
        activation.start(from, name, call);
    }

    void updateActivationEnvironment(Connection from, MessageView call) throws BusErrorException {
        facts.requirePrivileged(from, "UpdateActivationEnvironment");
        Map<String, String> variables = new LinkedHashMap<>();
        BodyReader arguments = new BodyReader().read(call);
        arguments.enterArray();
        while (arguments.hasNext()) {
            arguments.enterDictEntry();
            String name = arguments.readString();
            if (name.isEmpty() || name.indexOf('=') >= 0) {
                throw new BusErrorException(
                        BusError.INVALID_ARGS, "'" + name + "' is not the name of a variable");
            }
            variables.put(name, arguments.readString());
            arguments.leave();
        }
        activation.updateEnvironment(from, variables);
        messages.reply(from, call, NOTHING, null, body -> {});
    }

    void listActivatableNames(Connection from, MessageView call) {
        List<String> names = new ArrayList<>();
        names.add(BUS);
        names.addAll(activation.names());
        messages.reply(from, call, STRINGS, null, body -> Driver.putAll(body, names));
    }
}
