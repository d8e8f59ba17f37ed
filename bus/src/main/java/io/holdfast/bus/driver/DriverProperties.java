package io.holdfast.bus.driver;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.dbus.BusNames;
import io.holdfast.dbus.wire.BodyWriter;
import io.holdfast.dbus.wire.MessageView;
import io.holdfast.dbus.wire.Signature;
import java.util.List;

/** The properties of org.freedesktop.DBus. */
public final class DriverProperties {
    static final List<String> NAMES = List.of("Features", "Interfaces");

    private static final Signature STRINGS = Signature.of("as");
    private static final Signature VARIANT = Signature.of("v");
    private static final Signature DICTIONARY = Signature.of("a{sv}");

    private final BusFacts facts;
    private final BusMessages messages;

    public DriverProperties(BusFacts facts, BusMessages messages) {
        this.facts = facts;
        this.messages = messages;
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
                    for (String name : NAMES) {
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
        if (!NAMES.contains(property)) {
            throw new BusErrorException(
                    BusError.UNKNOWN_PROPERTY, interfaceName + " has no property " + property);
        }
        return valuesOf(property);
    }

    private static void known(String interfaceName) throws BusErrorException {
        if (!interfaceName.equals(BusNames.BUS)) {
            throw new BusErrorException(
                    BusError.UNKNOWN_INTERFACE,
                    "the bus has properties of " + BusNames.BUS + " alone");
        }
    }

    private List<String> valuesOf(String property) {
        return property.equals("Features")
                ? facts.features()
                : List.of(Driver.MONITORING, Driver.STATS);
    }

    private static void put(BodyWriter body, List<String> values) {
        body.beginVariant(STRINGS).beginArray();
        values.forEach(body::putString);
        body.endArray().endVariant();
    }
}
