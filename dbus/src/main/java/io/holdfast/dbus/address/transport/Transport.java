package io.holdfast.dbus.address.transport;

import io.holdfast.core.socket.UnixAddress;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.BusAddressException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;

/** How a bus is reached: the transport of an address and its keys, without the GUID. */
public sealed interface Transport {
    /** {@code unix:path=…}: a socket file, to connect to or to listen on. */
    record SocketFile(UnixAddress.PathName path) implements Transport {}

    /**
     * {@code unix:abstract=…}: a socket in the abstract namespace, to connect to or to listen on.
     */
    record AbstractSocket(UnixAddress.AbstractName name) implements Transport {}

    /**
     * {@code unix:dir=…} and {@code unix:tmpdir=…}: a socket file with a random name in a folder,
     * to listen on.
     *
     * @param key {@code dir} or {@code tmpdir}
     */
    record Folder(String key, String path) implements Transport {}

    /** {@code unix:runtime=yes}: {@code $XDG_RUNTIME_DIR/bus}, to listen on. */
    record RuntimeSocket() implements Transport {}

    /**
     * {@code unixexec:path=…,argv1=…}: a program that is run and speaks D-Bus on its standard input
     * and output, to connect to.
     *
     * @param path the path of the program, or its name in {@code PATH}
     * @param name the {@code argv0} of the program
     */
    record Program(String path, Optional<String> name, List<String> arguments)
            implements Transport {
        /** Copies the arguments. */
        public Program {
            arguments = List.copyOf(arguments);
        }
    }

    /**
     * {@code systemd:}: the sockets that the service manager passed to this process, to listen on.
     */
    record Inherited() implements Transport {}

    /**
     * Another transport: well-formed, but refused when it is used.
     *
     * @param name as {@code tcp}
     * @param text the whole address
     */
    record Unsupported(String name, String text) implements Transport {
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

    /** {@return the transport of an address} */
    static Transport of(BusAddress address) {
        return of(AddressText.parse(address.toString()));
    }

    /**
     * {@return the transport of an address}
     *
     * @throws io.holdfast.dbus.address.BusAddressException if the address is malformed
     */
    static Transport of(AddressText read) {
        try {
            return switch (read.transport()) {
                case "unix" -> unix(read);
                case "unixexec" -> program(read);
                case "systemd" -> new Inherited();
                default -> new Unsupported(read.transport(), read.text());
            };
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

    /** {@code $XDG_RUNTIME_DIR/bus}. */
    static String runtimeSocket(Map<String, String> environment) {
        String folder = environment.getOrDefault("XDG_RUNTIME_DIR", "");
        if (folder.isEmpty()) {
            throw new BusAddressException(
                    "no session bus: neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set");
        }
        return folder + "/bus";
    }

    /** {@return the address of this transport, without a GUID} */
    default BusAddress address() {
        return BusAddress.parse(text(Optional.empty()));
    }

    /**
     * {@return the text of the address, escaped}
     *
     * @param guid the GUID of the server
     */
    default String text(Optional<String> guid) {
        Map<String, String> keys = new LinkedHashMap<>();
        String name = "unix";
        switch (this) {
            case SocketFile(var path) -> keys.put("path", path.path());
            case AbstractSocket(var socket) -> keys.put("abstract", socket.name());
            case Folder(var key, var path) -> keys.put(key, path);
            case RuntimeSocket() -> keys.put("runtime", "yes");
            case Program(var path, var argv0, var arguments) -> {
                name = "unixexec";
                keys.put("path", path);
                argv0.ifPresent(value -> keys.put("argv0", value));
                for (int i = 0; i < arguments.size(); i++) {
                    keys.put("argv" + (i + 1), arguments.get(i));
                }
            }
            case Inherited() -> name = "systemd";
            case Unsupported(_, var text) -> {
                return text;
            }
        }
        guid.ifPresent(g -> keys.put("guid", g));
        StringJoiner pairs = new StringJoiner(",", name + ":", "");
        keys.forEach((key, value) -> pairs.add(key + "=" + AddressText.escape(value)));
        return pairs.toString();
    }
}
