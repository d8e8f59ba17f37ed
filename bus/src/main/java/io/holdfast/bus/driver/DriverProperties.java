package io.holdfast.bus.driver;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.Container;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.dbus.BusNames;
import io.holdfast.dbus.marshal.BodyWriter;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.wire.Signature;
import java.util.List;
import java.util.Map;

/** The properties of the interfaces of the bus: all of them are lists of strings. */
public final class DriverProperties {
    private static final Map<String, List<String>> NAMES =
            Map.of(
                    BusNames.BUS,
                    List.of("Features", "Interfaces"),
                    Container.INTERFACE,
                    List.of("SupportedArguments"));

    private static final Signature STRINGS = Signature.of("as");
    private static final Signature VARIANT = Signature.of("v");
    private static final Signature DICTIONARY = Signature.of("a{sv}");

    private final BusFacts facts;
    private final BusMessages messages;
    private final boolean containers;

    /**
     * @param containers whether the bus has the interface for containers
     */
    public DriverProperties(BusFacts facts, BusMessages messages, boolean containers) {
        this.facts = facts;
        this.messages = messages;
        this.containers = containers;
    }

    /** Returns the properties of an interface, in the order of the introspection data. */
    static List<String> names(String interfaceName) {
        return NAMES.getOrDefault(interfaceName, List.of());
    }

    void get(Connection from, MessageView call) throws BusErrorException {
        List<String> values = values(Driver.text(call, 0), Driver.text(call, 1));
        messages.reply(from, call, VARIANT, null, body -> put(body, values));
    }

    void getAll(Connection from, MessageView call) throws BusErrorException {
        String interfaceName = Driver.text(call, 0);
        known(interfaceName);
        messages.reply(
                from,
                call,
                DICTIONARY,
                null,
                body -> {
                    body.beginArray();
                    for (String name : names(interfaceName)) {
                        body.beginDictEntry().putString(name);
                        put(body, valuesOf(name));
                        body.endDictEntry();
                    }
                    body.endArray();
                });
    }

    void set(Connection from, MessageView call) throws BusErrorException {
        String property = Driver.text(call, 1);
        List<String> ignored = values(Driver.text(call, 0), property);
        throw new BusErrorException(BusError.PROPERTY_READ_ONLY, property + " is read-only");
    }

    private List<String> values(String interfaceName, String property) throws BusErrorException {
        known(interfaceName);
        if (!names(interfaceName).contains(property)) {
            throw new BusErrorException(
                    BusError.UNKNOWN_PROPERTY, interfaceName + " has no property " + property);
        }
        return valuesOf(property);
    }

    private void known(String interfaceName) throws BusErrorException {
        boolean hidden = interfaceName.equals(Container.INTERFACE) && !containers;
        if (!NAMES.containsKey(interfaceName) || hidden) {
            throw new BusErrorException(
                    BusError.UNKNOWN_INTERFACE,
                    "the bus has no properties of interface " + interfaceName);
        }
    }

    private List<String> valuesOf(String property) {
        return switch (property) {
            case "Features" -> facts.features();
            case "Interfaces" ->
                    containers
                            ? List.of(Driver.MONITORING, Driver.STATS, Container.INTERFACE)
                            : List.of(Driver.MONITORING, Driver.STATS);
            default -> List.of(); // no argument of AddServer has a name yet
        };
    }

    private static void put(BodyWriter body, List<String> values) {
        body.beginVariant(STRINGS).beginArray();
        values.forEach(body::putString);
        body.endArray().endVariant();
    }
}
