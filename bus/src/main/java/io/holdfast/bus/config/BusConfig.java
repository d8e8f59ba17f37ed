package io.holdfast.bus.config;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The configuration of a bus, as {@code dbus-daemon(1)} describes the files. Immutable.
 *
 * @param type {@code session}, {@code system} or another word
 * @param listen the addresses to listen at; clients see them in reverse order
 * @param auth the mechanisms that are allowed; empty for all
 * @param user the requested user of the bus process, a name or number
 * @param fork whether the bus process is requested to go into the background
 * @param serviceFolders the folders of service files; the first one with a name wins
 * @param serviceHelper the program that starts services of a system bus
 * @param policies the policies in the order of the files
 * @param files all files that were read
 * @param includedFolders the folders of {@code <includedir>}, whether they exist or not
 */
public record BusConfig(
        @Nullable String type,
        List<String> listen,
        List<String> auth,
        @Nullable String user,
        boolean fork,
        @Nullable String pidFile,
        boolean syslog,
        boolean keepUmask,
        boolean allowAnonymous,
        List<ServiceFolder> serviceFolders,
        @Nullable String serviceHelper,
        Limits limits,
        List<PolicyBlock> policies,
        List<Path> files,
        List<Path> includedFolders) {
    public BusConfig {
        listen = List.copyOf(listen);
        auth = List.copyOf(auth);
        serviceFolders = List.copyOf(serviceFolders);
        policies = List.copyOf(policies);
        files = List.copyOf(files);
        includedFolders = List.copyOf(includedFolders);
    }

    /**
     * Reads a file and all files that it includes.
     *
     * @throws ConfigException for the first error
     */
    public static BusConfig load(Path file) throws ConfigException {
        return new BusConfigReader(System.getenv()).read(file);
    }

    /**
     * Reads the content of a file, such as one that has no name or can be read once only, and all
     * files that it includes by absolute paths.
     *
     * @param source the file, for errors
     * @throws ConfigException for the first error
     */
    public static BusConfig of(String source, byte[] content) throws ConfigException {
        return new BusConfigReader(System.getenv()).read(source, content);
    }

    /**
     * Returns the built-in configuration of a session bus: every client that may connect may do
     * everything. Reads the machine's {@code session.d} folders too, if there are any.
     *
     * @throws ConfigException if a file in them is wrong
     */
    public static BusConfig session() throws ConfigException {
        return new BusConfigReader(System.getenv()).readBuiltIn("session.conf");
    }

    /**
     * Returns the built-in configuration of a system bus: names and calls are denied unless a file
     * in the machine's {@code system.d} folders allows them.
     *
     * @throws ConfigException if a file in them is wrong
     */
    public static BusConfig system() throws ConfigException {
        return new BusConfigReader(System.getenv()).readBuiltIn("system.conf");
    }

    /**
     * Returns this configuration with one more file, which counts as if it were included at the
     * end. For example, it lets a service own its name on a system bus when the machine has no file
     * for it in {@code system.d}.
     *
     * @throws ConfigException for the first error in the file
     */
    public BusConfig including(Path file) throws ConfigException {
        return new BusConfigReader(System.getenv(), this).read(file);
    }

    /** Returns a built-in configuration for an environment, which decides where services are. */
    static BusConfig builtIn(String name, Map<String, String> environment) throws ConfigException {
        return new BusConfigReader(environment).readBuiltIn(name);
    }

    /**
     * Returns a configuration for a bus inside a program: every user may connect and do everything.
     * Reads no file.
     */
    public static BusConfig permissive() {
        ConfigPlace place = new ConfigPlace("built-in permissive policy", 0);
        PolicyBlock all =
                new PolicyBlock(
                        new PolicyBlock.Default(),
                        List.of(
                                rule(new PolicyRule.ConnectTest("*", null), "user=\"*\"", place),
                                rule(new PolicyRule.OwnTest(null, false), "own=\"*\"", place),
                                rule(anyMessage(true), "send_destination=\"*\"", place),
                                rule(anyMessage(false), "receive_sender=\"*\"", place)),
                        place);
        BusConfigReader draft = new BusConfigReader(Map.of());
        draft.auth.add("EXTERNAL");
        draft.keepUmask = true;
        draft.policies.add(all);
        return draft.config();
    }

    private static PolicyRule rule(PolicyRule.Test test, String attributes, ConfigPlace place) {
        return new PolicyRule(true, test, "<allow " + attributes + "/>", place);
    }

    private static PolicyRule.MessageTest anyMessage(boolean send) {
        return new PolicyRule.MessageTest(
                send,
                null,
                false,
                null,
                null,
                null,
                null,
                0,
                null,
                true,
                true,
                0,
                Integer.MAX_VALUE);
    }

    /**
     * {@return the folders whose files make up the configuration: those of {@code <includedir>},
     * and those of services}
     */
    public List<Path> folders() {
        return Stream.concat(
                        includedFolders.stream(), serviceFolders.stream().map(ServiceFolder::path))
                .map(folder -> folder.toAbsolutePath().normalize())
                .distinct()
                .toList();
    }

    /**
     * Makes the folder in {@code XDG_RUNTIME_DIR} for services that exist only during the session,
     * if the configuration has it.
     *
     * @throws IOException if it cannot be made
     */
    public void makeRuntimeFolder() throws IOException {
        StandardFolders.makeRuntimeFolder(System.getenv(), serviceFolders);
    }

    /** Returns the same configuration with other limits. */
    public BusConfig withLimits(Limits other) {
        BusConfigReader draft = new BusConfigReader(Map.of(), this);
        draft.limits = other;
        return draft.config();
    }

    /** Returns the same configuration with other service folders. */
    public BusConfig withServiceFolders(List<ServiceFolder> other) {
        BusConfigReader draft = new BusConfigReader(Map.of(), this);
        draft.serviceFolders.clear();
        draft.serviceFolders.addAll(other);
        return draft.config();
    }
}
