package io.holdfast.interop.hostility;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Gen;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.RemoteObject;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.marshal.Values;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.sasl.SaslClient;
import io.holdfast.interop.stack.StackStage;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * All objects of a service, either with a name on the bus of the stack or at a socket without a
 * bus.
 *
 * @param busName empty without a bus
 * @param probe the call of innocent callers
 */
record DBusFace(String name, Daemon daemon, String socket, String busName, Question probe)
        implements EntryPoint {
    private static final int HELLO = 1;

    /** Members that change nothing: without a bus, other calls would be carried out. */
    private static final Pattern READING = Pattern.compile("(Get|List|Introspect|Ping).*");

    /**
     * The hostilities that reach a service over a bus: all others are between the caller and the
     * bus.
     */
    private static final Set<Hostility> OVER_THE_BUS =
            EnumSet.of(
                    Hostility.UNREAD_REPLIES,
                    Hostility.FULL_SOCKETS,
                    Hostility.DESCRIPTORS,
                    Hostility.COMING_AND_GOING);

    /** What root's programs may do to each other by mistake: root has no shares. */
    private static final Set<Hostility> AMONG_ROOTS =
            EnumSet.of(
                    Hostility.UNREAD_REPLIES,
                    Hostility.FULL_SOCKETS,
                    Hostility.HALF_SENT,
                    Hostility.DESCRIPTORS);

    /** A call whose arguments are strings. */
    record Question(String path, String interfaceName, String member, List<String> arguments) {}

    /** Returns the face of a service with a name on the bus. */
    static DBusFace onBus(String name, Daemon daemon, String busName, Question probe) {
        return new DBusFace(name, daemon, StackStage.RUNTIME + "/bus", busName, probe);
    }

    /** Returns the face of a socket without a bus, to which only root can connect. */
    static DBusFace ofRoot(String name, Daemon daemon, String socket, Question probe) {
        return new DBusFace(name, daemon, socket, "", probe);
    }

    private boolean isOnBus() {
        return !busName.isEmpty();
    }

    @Override
    public boolean isForRoot() {
        return !isOnBus();
    }

    @Override
    public Set<Hostility> hostilities() {
        if (!isOnBus()) {
            return AMONG_ROOTS;
        }
        return daemon == Daemon.BUS ? EnumSet.allOf(Hostility.class) : OVER_THE_BUS;
    }

    @Override
    public List<Method> methods(StackUnderAttack stack) throws InterruptedException {
        if (isOnBus()) {
            return methods(stack, path -> stack.bus().object(busName, path));
        }
        try (BusConnection peer =
                BusConnection.withPeer(
                        UnixSocket.connect(UnixAddress.path(stack.file(socket)), SocketType.STREAM),
                        ConnectionOptions.standard())) {
            return methods(stack, peer::object);
        }
    }

    private List<Method> methods(StackUnderAttack stack, Function<String, RemoteObject> service)
            throws InterruptedException {
        DBusObjects objects = DBusObjects.of(service);
        return objects.methods().values().stream()
                .filter(described -> isOnBus() || READING.matcher(described.member()).matches())
                .<Method>map(described ->
                        new DBusMethod(this, described, objects, stack.units(), stack.pid()))
                .toList();
    }

    @Override
    public byte[] greeting() {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(
                new SaslClient(SaslClient.Mechanism.EXTERNAL, true, Optional.empty()).opening());
        if (isOnBus()) {
            MessageWriter hello =
                    new MessageWriter()
                            .methodCall("/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello")
                            .destination("org.freedesktop.DBus");
            all.writeBytes(bytes(hello, HELLO, Signature.EMPTY, List.of()));
        }
        return all.toByteArray();
    }

    private MessageWriter begin(String path, String interfaceName, String member) {
        MessageWriter call = new MessageWriter().methodCall(path, interfaceName, member);
        return isOnBus() ? call.destination(busName) : call;
    }

    @Override
    public Optional<Call> question() {
        MessageWriter call = begin(probe.path, probe.interfaceName, probe.member);
        Signature types = Signature.of("s".repeat(probe.arguments.size()));
        return Optional.of(new Call(bytes(call, HELLO + 1, types, probe.arguments), 0));
    }

    @Override
    public Dialogue dialogue(UnixSocket socket) {
        return new DBusDialogue(socket, greeting());
    }

    private static byte[] bytes(MessageWriter writer, int serial, Signature types, List<?> values) {
        writer.serial(serial);
        if (!types.equals(Signature.EMPTY)) {
            Values.writeAll(writer.body(types), values);
        }
        return writer.finish().toArray(ValueLayout.JAVA_BYTE);
    }

    /** A method of several objects, called on one after the other. */
    private record DBusMethod(
            DBusFace face,
            DBusObjects.Described described,
            DBusObjects objects,
            List<String> units,
            long pid)
            implements Method {
        @Override
        public String name() {
            return described.interfaceName() + "." + described.member();
        }

        @Override
        public Call call(int serial, int arguments, int descriptors) {
            List<String> paths = described.paths();
            String path = paths.get(Math.floorMod(arguments, paths.size()));
            Words words =
                    new Words(
                            units,
                            objects.interfaces().getOrDefault(path, List.of()),
                            objects.properties().getOrDefault(path, List.of("")));
            DBusArguments made = new DBusArguments(words, new Gen(arguments), pid);
            List<Object> values = new ArrayList<>();
            for (int i = 0; i < described.types().size(); i++) {
                values.add(made.value(described.types().get(i), described.names().get(i)));
            }
            int all = Math.max(descriptors, made.descriptors());
            MessageWriter call =
                    face.begin(path, described.interfaceName(), described.member()).unixFds(all);
            Signature types = Signature.of(String.join("", described.types()));
            return new Call(bytes(call, serial, types, values), all);
        }
    }
}
