package io.holdfast.dbus.address;

import io.holdfast.core.socket.UnixAddress;
import io.holdfast.dbus.wire.sasl.SaslServer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;

/**
 * Where a bus is, or is to be: one address of a list such as {@code
 * unix:path=/run/dbus/system_bus_socket,guid=…;unix:abstract=/tmp/dbus-x}. Immutable.
 *
 * @param transport how the bus is reached
 * @param guid the id that the server must have, 32 lower-case hexadecimal digits
 */
public record BusAddress(Transport transport, Optional<String> guid) {
    private static final String SYSTEM = "unix:path=/run/dbus/system_bus_socket";

    /** How a bus is reached. */
    public sealed interface Transport {}

    /**
     * {@code unix:path=…}: a socket file. To connect to, and to listen on.
     *
     * @param path the path of the file or folder
     */
    public record SocketFile(UnixAddress.PathName path) implements Transport {}

    /**
     * {@code unix:abstract=…}. To connect to, and to listen on.
     *
     * @param name the name in the abstract namespace
     */
    public record AbstractSocket(UnixAddress.AbstractName name) implements Transport {}

    /**
     * {@code unix:dir=…} and {@code unix:tmpdir=…}: a socket file of a random name. To listen on.
     *
     * @param key {@code dir} or {@code tmpdir}
     * @param path the path of the file or folder
     */
    public record Folder(String key, String path) implements Transport {}

    /** {@code unix:runtime=yes}: {@code $XDG_RUNTIME_DIR/bus}. To listen on. */
    public record RuntimeSocket() implements Transport {}

    /**
     * {@code unixexec:path=…,argv1=…}: a program that is run and talks on its standard streams. To
     * connect to.
     *
     * @param path of the program, or its name in {@code PATH}
     * @param name what it is told as its own name ({@code argv0})
     * @param arguments the arguments of the program
     */
    public record Program(String path, Optional<String> name, List<String> arguments)
            implements Transport {
        /** Copies the arguments. */
        public Program {
            arguments = List.copyOf(arguments);
        }
    }

    /** {@code systemd:}: the sockets that the service manager passed on. To listen on. */
    public record Inherited() implements Transport {}

    /**
     * Another transport: well-formed, and refused when it is used.
     *
     * @param name as {@code tcp}
     * @param text the whole address
     */
    public record Unsupported(String name, String text) implements Transport {
        /** {@return why such an address is of no use here, for a person} */
        public String reason() {
            return switch (name) {
                case "tcp", "nonce-tcp" ->
                        "a network connection has no identity and passes no descriptors;"
                                + " use unix:, or unixexec: with ssh";
                case "autolaunch" ->
                        "no bus is started here by itself;"
                                + " start one and set DBUS_SESSION_BUS_ADDRESS";
                default -> "there is no transport " + name + " here, only unix, unixexec, systemd";
            };
        }
    }

    /**
     * Checks the id.
     *
     * @throws BusAddressException if the id is not 32 hexadecimal digits
     */
    public BusAddress {
        guid = guid.map(g -> g.toLowerCase(Locale.ROOT));
        if (guid.isPresent() && !SaslServer.isGuid(guid.get())) {
            throw new BusAddressException(
                    "D-Bus address: guid=" + guid.get() + " is not 32 hexadecimal digits");
        }
    }

    /**
     * {@return a socket file}
     *
     * @param path the path of the file or folder
     */
    public static BusAddress ofPath(String path) {
        return new BusAddress(new SocketFile(new UnixAddress.PathName(path)), Optional.empty());
    }

    /**
     * Reads a list: the addresses are to be tried in turn.
     *
     * @param text the text of the address
     * @return the addresses
     * @throws BusAddressException if one of them is malformed. A transport that cannot be used is
     *     {@link Unsupported} and does not spoil the others
     */
    public static List<BusAddress> parseList(String text) {
        List<BusAddress> list = new ArrayList<>();
        String[] parts = text.split(";", -1);
        for (int i = 0; i < parts.length; i++) {
            if (!parts[i].isEmpty()) {
                list.add(parse(parts[i]));
            } else if (i < parts.length - 1 || parts.length == 1) {
                throw new BusAddressException(
                        "D-Bus addresses \"%s\": number %d is empty".formatted(text, i + 1));
            }
        }
        return List.copyOf(list);
    }

    /**
     * Reads a single address.
     *
     * @param text the text of the address
     * @return the address
     * @throws BusAddressException if it is malformed
     */
    public static BusAddress parse(String text) {
        AddressText read = AddressText.parse(text);
        Optional<String> guid = Optional.ofNullable(read.keys().get("guid"));
        try {
            Transport transport =
                    switch (read.transport()) {
                        case "unix" -> unix(read);
                        case "unixexec" -> program(read);
                        case "systemd" -> new Inherited();
                        default -> new Unsupported(read.transport(), text);
                    };
            return new BusAddress(transport, guid);
        } catch (IllegalArgumentException e) { // of UnixAddress
            throw read.wrong(String.valueOf(e.getMessage()));
        }
    }

    private static Transport unix(AddressText read) {
        Transport transport = null;
        for (Map.Entry<String, String> entry : read.keys().entrySet()) {
            String value = entry.getValue();
            Transport next =
                    switch (entry.getKey()) {
                        case "path" -> new SocketFile(new UnixAddress.PathName(value));
                        case "abstract" -> new AbstractSocket(new UnixAddress.AbstractName(value));
                        case "dir", "tmpdir" -> folder(read, entry.getKey(), value);
                        case "runtime" -> runtime(read, value);
                        default -> null; // guid, and what may come
                    };
            if (next != null && transport != null) {
                throw read.wrong("path, abstract, dir, tmpdir and runtime exclude each other");
            }
            transport = next == null ? transport : next;
        }
        if (transport == null) {
            throw read.wrong("none of the keys path, abstract, dir, tmpdir, runtime");
        }
        return transport;
    }

    private static Transport folder(AddressText read, String key, String value) {
        if (value.isEmpty()) {
            throw read.wrong("the value of " + key + " is empty");
        }
        return new Folder(key, value);
    }

    private static Transport runtime(AddressText read, String value) {
        if (!value.equals("yes")) {
            throw read.wrong("the value of runtime can only be yes");
        }
        return new RuntimeSocket();
    }

    private static Transport program(AddressText read) {
        String path = read.keys().get("path");
        if (path == null || path.isEmpty()) {
            throw read.wrong("the key path is missing");
        }
        List<String> arguments = new ArrayList<>();
        for (int i = 1; read.keys().containsKey("argv" + i); i++) {
            arguments.add(String.valueOf(read.keys().get("argv" + i)));
        }
        for (String key : read.keys().keySet()) {
            if (key.startsWith("argv") && !isArgument(key, arguments.size())) {
                throw read.wrong(key + " does not follow on argv" + arguments.size());
            }
        }
        return new Program(path, Optional.ofNullable(read.keys().get("argv0")), arguments);
    }

    private static boolean isArgument(String key, int count) {
        for (int i = 0; i <= count; i++) {
            if (key.equals("argv" + i)) {
                return true;
            }
        }
        return false;
    }

    /**
     * {@return the addresses of the system bus: {@code DBUS_SYSTEM_BUS_ADDRESS}, or the well-known
     * one}
     *
     * @throws BusAddressException if the variable is malformed
     */
    public static List<BusAddress> system() {
        return system(System.getenv());
    }

    static List<BusAddress> system(Map<String, String> environment) {
        String set = environment.getOrDefault("DBUS_SYSTEM_BUS_ADDRESS", "");
        return parseList(set.isEmpty() ? SYSTEM : set);
    }

    /**
     * {@return the addresses of the session bus: {@code DBUS_SESSION_BUS_ADDRESS}, or {@code bus}
     * in {@code XDG_RUNTIME_DIR}}
     *
     * @throws BusAddressException if the variable is malformed, or neither is set
     */
    public static List<BusAddress> session() {
        return session(System.getenv());
    }

    static List<BusAddress> session(Map<String, String> environment) {
        String set = environment.getOrDefault("DBUS_SESSION_BUS_ADDRESS", "");
        return set.isEmpty() ? List.of(ofPath(runtimeSocket(environment))) : parseList(set);
    }

    /** {@code $XDG_RUNTIME_DIR/bus}. */
    static String runtimeSocket(Map<String, String> environment) {
        String folder = environment.getOrDefault("XDG_RUNTIME_DIR", "");
        if (folder.isEmpty()) {
            throw new BusAddressException(
                    "no session bus: neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set");
        }
        return folder + "/bus";
    }

    /**
     * {@return the same address with the id of its server}
     *
     * @param id 32 lower-case hexadecimal digits
     */
    public BusAddress withGuid(String id) {
        return new BusAddress(transport, Optional.of(id));
    }

    /** The address as it is written, escaped. */
    @Override
    public String toString() {
        Map<String, String> keys = new LinkedHashMap<>();
        switch (transport) {
            case SocketFile(var path) -> keys.put("path", path.path());
            case AbstractSocket(var name) -> keys.put("abstract", name.name());
            case Folder(var key, var path) -> keys.put(key, path);
            case RuntimeSocket() -> keys.put("runtime", "yes");
            case Program program -> {
                keys.put("path", program.path);
                program.name.ifPresent(n -> keys.put("argv0", n));
                program.arguments.forEach(a -> keys.put("argv" + argumentsIn(keys), a));
            }
            case Inherited() -> {}
            case Unsupported(_, var text) -> {
                return text;
            }
        }
        guid.ifPresent(g -> keys.put("guid", g));
        StringJoiner pairs = new StringJoiner(",");
        keys.forEach((key, value) -> pairs.add(key + "=" + AddressText.escape(value)));
        return name() + ":" + pairs;
    }

    private static long argumentsIn(Map<String, String> keys) {
        return 1
                + keys.keySet().stream()
                        .filter(k -> k.startsWith("argv") && !k.equals("argv0"))
                        .count();
    }

    private String name() {
        return switch (transport) {
            case Program _ -> "unixexec";
            case Inherited _ -> "systemd";
            case Unsupported unsupported -> unsupported.name;
            default -> "unix";
        };
    }
}
