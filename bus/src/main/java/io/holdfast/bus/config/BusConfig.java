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
 * @param type {@code session} or {@code system}, or a word of one's own
 * @param listen addresses; clients are told the last one first
 * @param auth the mechanisms that are allowed; empty for all
 * @param user whom to become, a name or number
 * @param fork whether to go into the background
 * @param serviceFolders best first
 * @param serviceHelper the program that starts services of a system bus
 * @param policies in the order of the files
 * @param files all that were read
 * @param includedFolders those of {@code <includedir>}, whether they are there or not
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
     * Reads a file and all that it includes.
     *
     * @throws ConfigException for the first thing that is wrong
     */
    public static BusConfig load(Path file) throws ConfigException {
        return new BusConfigReader(System.getenv()).read(file);
    }

    /**
     * The built-in configuration of a session bus: everybody who may connect may do everything.
     * Reads the machine's {@code session.d} folders too, where there are any.
     *
     * @throws ConfigException if one of those is wrong
     */
    public static BusConfig session() throws ConfigException {
        return new BusConfigReader(System.getenv()).readBuiltIn("session.conf");
    }

    /**
     * The built-in configuration of a system bus: names and calls are denied unless a file of the
     * machine's {@code system.d} folders allows them.
     *
     * @throws ConfigException if one of those is wrong
     */
    public static BusConfig system() throws ConfigException {
        return new BusConfigReader(System.getenv()).readBuiltIn("system.conf");
    }

    /**
     * The same with one more file, which counts as if it were included at the end: so a system bus
     * lets a service own its name for which the machine has no file in {@code system.d}.
     *
     * @throws ConfigException for the first thing that is wrong with it
     */
    public BusConfig including(Path file) throws ConfigException {
        return new BusConfigReader(System.getenv(), this).read(file);
    }

    /** As {@link #session()}, for an environment, which says where its services are. */
    static BusConfig builtIn(String name, Map<String, String> environment) throws ConfigException {
        return new BusConfigReader(environment).readBuiltIn(name);
    }

    /** For a bus inside of a program: every user may connect and do everything. Reads no file. */
    public static BusConfig permissive() {
        Place place = new Place("built-in permissive policy", 0);
        PolicyBlock all =
                new PolicyBlock(
                        new PolicyBlock.Default(),
                        List.of(
                                rule(new PolicyRule.ConnectTest("*", null), "user=\"*\"", place),
                                rule(new PolicyRule.OwnTest(null, false), "own=\"*\"", place),
                                rule(anyMessage(true), "send_destination=\"*\"", place),
                                rule(anyMessage(false), "receive_sender=\"*\"", place)),
                        place);
        return new BusConfig(
                null,
                List.of(),
                List.of("EXTERNAL"),
                null,
                false,
                null,
                false,
                true,
                false,
                List.of(),
                null,
                Limits.BUILT_IN,
                List.of(all),
                List.of(),
                List.of());
    }

    private static PolicyRule rule(PolicyRule.Test test, String attributes, Place place) {
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
     * {@return the folders whose files decide what the configuration is: those of {@code
     * <includedir>}, and those of services}
     */
    public List<Path> folders() {
        return Stream.concat(
                        includedFolders.stream(), serviceFolders.stream().map(ServiceFolder::path))
                .map(folder -> folder.toAbsolutePath().normalize())
                .distinct()
                .toList();
    }

    /**
     * Makes the folder in {@code XDG_RUNTIME_DIR} where programs put services for as long as a
     * session lasts, if the configuration has it.
     *
     * @throws IOException if it cannot be made
     */
    public void makeRuntimeFolder() throws IOException {
        StandardFolders.makeRuntimeFolder(System.getenv(), serviceFolders);
    }

    /** The same with other limits. */
    public BusConfig withLimits(Limits other) {
        return new BusConfig(
                type,
                listen,
                auth,
                user,
                fork,
                pidFile,
                syslog,
                keepUmask,
                allowAnonymous,
                serviceFolders,
                serviceHelper,
                other,
                policies,
                files,
                includedFolders);
    }

    /** The same with other folders of services. */
    public BusConfig withServiceFolders(List<ServiceFolder> other) {
        return new BusConfig(
                type,
                listen,
                auth,
                user,
                fork,
                pidFile,
                syslog,
                keepUmask,
                allowAnonymous,
                other,
                serviceHelper,
                limits,
                policies,
                files,
                includedFolders);
    }
}
