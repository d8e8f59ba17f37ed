package io.holdfast.bus.driver;

import io.holdfast.bus.account.BusError;
import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.account.EndReason;
import io.holdfast.bus.config.BusLimit;
import io.holdfast.bus.connection.Connection;
import io.holdfast.bus.connection.Connections;
import io.holdfast.bus.connection.Container;
import io.holdfast.bus.connection.NameRegistry;
import io.holdfast.bus.route.BusMessages;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.dbus.marshal.BodyReader;
import io.holdfast.dbus.marshal.BodyWriter;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.Syntax;
import io.holdfast.dbus.marshal.Values;
import io.holdfast.dbus.wire.Signature;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;

/**
 * The methods of org.freedesktop.DBus.Containers1. The program that makes containers requests a
 * socket for each app; the app can neither choose its description nor request sockets itself.
 */
public final class ContainerMethods {
    private static final Signature NOTHING = Signature.of("");
    private static final Signature SERVER = Signature.of("oays");
    private static final Signature INSTANCE = Signature.of("a{sv}ssa{sv}");
    private static final Signature INSTANCE_OF = Signature.of("oa{sv}ssa{sv}");
    private static final Signature UINT32 = Signature.of("u");

    private final Containers containers;
    private final Connections connections;
    private final NameRegistry names;
    private final BusMessages messages;

    public ContainerMethods(
            Containers containers,
            Connections connections,
            NameRegistry names,
            BusMessages messages) {
        this.containers = containers;
        this.connections = connections;
        this.names = names;
        this.messages = messages;
    }

    void addServer(Connection from, MessageView call) throws BusErrorException {
        BusFacts.requireNoContainer(from, "AddServer");
        long most = connections.charges().limits().get(BusLimit.MAX_CONTAINER_METADATA_BYTES);
        if (call.bodyLength() > most) {
            connections.charges().over(from, BusLimit.MAX_CONTAINER_METADATA_BYTES);
            throw new BusErrorException(
                    BusError.LIMITS_EXCEEDED,
                    "%s is %d, and the arguments have %d"
                            .formatted(
                                    BusLimit.MAX_CONTAINER_METADATA_BYTES,
                                    most,
                                    call.bodyLength()));
        }
        if (call.unixFds() > 0) {
            throw new BusErrorException(BusError.INVALID_ARGS, "AddServer takes no descriptors");
        }
        BodyReader arguments = new BodyReader().read(call);
        String type = arguments.readString();
        if (!Syntax.isInterface(type)) {
            throw new BusErrorException(
                    BusError.INVALID_ARGS,
                    "the type of a container must have the form of an interface name: " + type);
        }
        String name = arguments.readString();
        Map<?, ?> metadata = (Map<?, ?>) Values.read(arguments);
        Map<?, ?> named = (Map<?, ?>) Values.read(arguments);
        if (!named.isEmpty()) {
            throw new BusErrorException(
                    BusError.INVALID_ARGS,
                    "the named argument " + named.keySet().iterator().next() + " is unknown");
        }
        Containers.Server server = containers.add(from, type, name, metadata);
        byte[] socket =
                ((UnixAddress.PathName) server.listener().listener().address())
                        .path()
                        .getBytes(StandardCharsets.UTF_8);
        messages.reply(
                from,
                call,
                SERVER,
                null,
                body ->
                        body.putObjectPath(server.container().path())
                                .putBytes(Arrays.copyOf(socket, socket.length + 1)) // and a NUL
                                .putString(server.address().toString()));
    }

    void stopListening(Connection from, MessageView call) throws BusErrorException {
        Container container = own(from, call);
        messages.reply(from, call, NOTHING, null, body -> {});
        container.stopListening();
    }

    void stopInstance(Connection from, MessageView call) throws BusErrorException {
        Container container = own(from, call);
        messages.reply(from, call, NOTHING, null, body -> {});
        container
                .connections()
                .forEach(one ->
                        one.markForRemoval(EndReason.STOPPED, container.path() + " was stopped"));
        container.stopListening();
    }

    private Container own(Connection from, MessageView call) throws BusErrorException {
        BusFacts.requireNoContainer(from, String.valueOf(call.member()));
        Container container = containers.get(Driver.text(call, 0));
        long uid = from.peer().uid();
        if (uid != container.uid() && uid != 0) {
            throw new BusErrorException(
                    BusError.ACCESS_DENIED,
                    "user %d cannot stop the container of user %d".formatted(uid, container.uid()));
        }
        return container;
    }

    void getInstanceInfo(Connection from, MessageView call) throws BusErrorException {
        Container container = containers.get(Driver.text(call, 0));
        messages.reply(from, call, INSTANCE, null, body -> put(body, container));
    }

    void getConnectionInstance(Connection from, MessageView call) throws BusErrorException {
        Container container = names.owner(Driver.text(call, 0)).container();
        if (container == null) {
            throw new BusErrorException(
                    BusError.NOT_CONTAINER, Driver.text(call, 0) + " is in no container");
        }
        messages.reply(
                from,
                call,
                INSTANCE_OF,
                null,
                body -> {
                    body.putObjectPath(container.path());
                    put(body, container);
                });
    }

    private static void put(BodyWriter body, Container container) {
        Connection creator = container.creator();
        if (creator != null) {
            CredentialsReply.put(body, creator.peer(), false, null);
        } else {
            body.beginArray().beginDictEntry().putString("UnixUserID");
            body.beginVariant(UINT32).putUint32((int) container.uid()).endVariant();
            body.endDictEntry().endArray();
        }
        body.putString(container.type()).putString(container.name());
        Values.write(body, container.metadata());
    }
}
