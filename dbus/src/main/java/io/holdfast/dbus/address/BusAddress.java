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
 * The address of a bus, to connect to or to listen on: one of a list such as {@code
 * unix:path=/run/dbus/system_bus_socket,guid=…;unix:abstract=/tmp/dbus-x}. Immutable.
 *
 * @param transport how the bus is reached
 * @param guid the GUID that the server must have, 32 lower-case hexadecimal digits
 */
public record BusAddress(Transport transport, Optional<String> guid) {
    private static final String SYSTEM = "unix:path=/run/dbus/system_bus_socket";

    /** How a bus is reached. */
    public sealed interface Transport {}

    /**
     * {@code unix:path=…}: a socket file, to connect to or to listen on.
     *
     * @param path the path of the file
     */
    public record SocketFile(UnixAddress.PathName path) implements Transport {}

    /**
     * {@code unix:abstract=…}: a socket in the abstract namespace, to connect to or to listen on.
     *
     * @param name the name in the abstract namespace
     */
    public record AbstractSocket(UnixAddress.AbstractName name) implements Transport {}

    /**
     * {@code unix:dir=…} and {@code unix:tmpdir=…}: a socket file with a random name in a folder,
     * to listen on.
     *
     * @param key {@code dir} or {@code tmpdir}
     * @param path the path of the folder
     */
    public record Folder(String key, String path) implements Transport {}

    /** {@code unix:runtime=yes}: {@code $XDG_RUNTIME_DIR/bus}, to listen on. */
    public record RuntimeSocket() implements Transport {}

    /**
     * {@code unixexec:path=…,argv1=…}: a program that is run and speaks D-Bus on its standard input
     * and output, to connect to.
     *
     * @param path the path of the program, or its name in {@code PATH}
     * @param name the {@code argv0} of the program
     * @param arguments the arguments of the program
     */
    public record Program(String path, Optional<String> name, List<String> arguments)
            implements Transport {
        /** Copies the arguments. */
        public Program {
            arguments = List.copyOf(arguments);
        }
    }

    /**
     * {@code systemd:}: the sockets that the service manager passed to this process, to listen on.
     */
    public record Inherited() implements Transport {}

    /**
     * Another transport: well-formed, but refused when it is used.
     *
     * @param name as {@code tcp}
     * @param text the whole address
     */
    public record Unsupported(String name, String text) implements Transport {
        /** {@return why the transport is not supported, for people} */
        public String reason() {
            return switch (name) {
                case "tcp", "nonce-tcp" ->
                        "a network connection has no identity and passes no descriptors;"
                                + " use unix:, or unixexec: with ssh";
                case "autolaunch" ->
                        "autolaunch is not supported;"
                                + " start a bus and set DBUS_SESSION_BUS_ADDRESS";
                default -> "there is no transport " + name + " here, only unix, unixexec, systemd";
            };
        }
    }

    /**
     * Checks the GUID.
     *
     * @throws BusAddressException if the GUID is not 32 hexadecimal digits
     */
    public BusAddress {
        guid = guid.map(g -> g.toLowerCase(Locale.ROOT));
        if (guid.isPresent() && !SaslServer.isGuid(guid.get())) {
            throw new BusAddressException(
                    "D-Bus address: guid=" + guid.get() + " is not 32 hexadecimal digits");
        }
    }

    /**
     * {@return the address of a socket file}
     *
     * @param path the path of the file
     */
    public static BusAddress ofPath(String path) {
        return new BusAddress(new SocketFile(new UnixAddress.PathName(path)), Optional.empty());
    }

    /**
     * Parses a list of addresses, which are to be tried in turn.
     *
     * @param text the text of the addresses
     * @return the addresses
     * @throws BusAddressException if an address is malformed. A transport that is not supported
     *     becomes {@link Unsupported}; the other addresses can still be used
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
     * Parses a single address.
     *
     * @param text the text of the address
     * @return the address
     * @throws BusAddressException if the address is malformed
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
        } catch (IllegalArgumentException e) { // from UnixAddress
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
                        default -> null; // guid, and keys of later specifications
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
     * address}
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
     * {@return the same address with the GUID of its server}
     *
     * @param id the GUID, 32 lower-case hexadecimal digits
     */
    public BusAddress withGuid(String id) {
        return new BusAddress(transport, Optional.of(id));
    }

    /** Returns the text of the address, escaped. */
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
