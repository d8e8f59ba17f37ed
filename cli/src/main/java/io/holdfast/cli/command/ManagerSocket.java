package io.holdfast.cli.command;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.FileStatus;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.varlink.ManagerInterface;
import io.holdfast.varlink.ServiceInfo;
import io.holdfast.varlink.VarlinkAddress;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.client.ServiceLostException;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ParseResult;

/** The options with which the commands for units find the manager, and calls to it. */
public final class ManagerSocket {
    /** The parameter that lets the authority ask the user to authenticate. */
    public static final String INTERACTIVE = "allowInteractiveAuthentication";

    private static final String USER = "--user";
    private static final String RUNTIME_DIR = "--runtime-dir";

    private static final String SYSTEM = "/run/holdfast";

    /** How long a change may take: start timeouts of units, and a user who authenticates. */
    private static final Duration CHANGE_TIMEOUT = Duration.ofHours(1);

    private ManagerSocket() {}

    public static void addOptions(Grammar grammar) {
        grammar.flag(
                        USER,
                        "For root: the user manager of root instead of the system manager. Other"
                                + " users always have their own manager.")
                .option(
                        RUNTIME_DIR + " DIR",
                        Path.class,
                        "The folder of the manager's sockets (default: /run/holdfast for root,"
                                + " $$XDG_RUNTIME_DIR/holdfast for a user).");
    }

    /** Returns the options of the manager that the command line selects. */
    public static ManagerOptions options(ParseResult line) {
        ManagerOptions options = ofCaller(line.hasMatchedOption(USER));
        Path directory = line.matchedOptionValue(RUNTIME_DIR, null);
        if (directory != null) {
            options = options.withRuntimeDirectory(directory.toAbsolutePath());
        }
        try {
            options.checkRuntimeDirectory();
            return options;
        } catch (IllegalArgumentException e) {
            throw new CommandException(
                    e.getMessage() + "; name a shorter one with " + RUNTIME_DIR, e);
        }
    }

    /**
     * Returns the options of the system manager for root, of the user's own manager for other
     * users.
     *
     * @param user whether to select the user manager for root, too
     */
    public static ManagerOptions ofCaller(boolean user) {
        return user || !System.getProperty("user.name").equals("root")
                ? ManagerOptions.user(System.getenv())
                : ManagerOptions.system(System.getenv());
    }

    /**
     * Returns the option, with a space before it, with which other commands find the manager that
     * the line selects; empty if they find it without.
     */
    public static String folderOption(ParseResult line) {
        Path directory = line.matchedOptionValue(RUNTIME_DIR, null);
        return directory != null
                ? " " + RUNTIME_DIR + " " + directory
                : line.hasMatchedOption(USER) ? " " + USER : "";
    }

    /**
     * Checks that a manager of this user could make the default runtime folder.
     *
     * @throws CommandException if the folder above it is missing or belongs to another user, as
     *     where XDG_RUNTIME_DIR is not set
     */
    public static void requireRuntimeFolder(ParseResult line) {
        unusable(line)
                .ifPresent(text -> {
                    throw new CommandException(text);
                });
    }

    /** Returns why a manager of this user cannot run in the default folder; empty if it can. */
    private static Optional<String> unusable(ParseResult line) {
        Path folder = Path.of(options(line).scope().runtimeDirectory());
        if (line.hasMatchedOption(RUNTIME_DIR)
                || !options(line).scope().user()
                || Unistd.geteuid() == 0
                || Files.isWritable(folder)) {
            return Optional.empty();
        }
        String variable = System.getenv().getOrDefault("XDG_RUNTIME_DIR", "");
        return Optional.of(
                (variable.isEmpty()
                                ? "XDG_RUNTIME_DIR is not set, and "
                                        + folder
                                        + (Files.exists(folder) ? " is not yours" : " is missing")
                                : "XDG_RUNTIME_DIR: "
                                        + folder
                                        + (Files.exists(folder) ? " is not yours" : " is missing"))
                        + ", as after su, sudo or in cron; log in as this user, or choose a folder"
                        + " with: "
                        + RUNTIME_DIR
                        + " DIR");
    }

    /** Calls a method of the manager, and returns the reply. */
    public static JsonObject call(ParseResult line, String method, JsonObject parameters) {
        Path socket = options(line).runtimeDirectory().resolve(ManagerInterface.SOCKET);
        VarlinkAddress address = VarlinkAddress.parse("unix:" + socket);
        try (TerminalAgent _ = agent(socket, parameters);
                VarlinkClient client = VarlinkClient.connect(address, ReplyLimits.varlink())) {
            if (!parameters.bool(INTERACTIVE, false)) {
                return client.call("io.holdfast.Manager." + method, parameters);
            }
            ServiceInfo ignored = client.getInfo(); // a change may take long, this may not
            return client.call("io.holdfast.Manager." + method, parameters, CHANGE_TIMEOUT);
        } catch (ErrnoException e) {
            throw new CommandException(
                    e.errno() == Errno.ENOENT || e.errno() == Errno.ECONNREFUSED
                            ? noManager(line, socket)
                            : String.valueOf(e.getMessage()),
                    e);
        } catch (VarlinkException e) {
            throw new CommandException(explain(e), e);
        } catch (ServiceLostException e) {
            throw new CommandException("the manager does not answer: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            throw new CommandException("interrupted", e);
        }
    }

    /**
     * Returns an agent that asks on this terminal for what another user's manager requires of this
     * user; null if nothing will be asked.
     */
    private static @Nullable TerminalAgent agent(Path socket, JsonObject parameters)
            throws InterruptedException {
        if (!parameters.bool(INTERACTIVE, false)
                || Unistd.geteuid() == 0
                || !Terminal.isForeground()) {
            return null;
        }
        FileStatus file;
        try {
            file = SysStat.stat(socket.toString());
        } catch (ErrnoException e) {
            return null; // no manager is running there
        }
        Path bus = socket.resolveSibling("bus");
        return file.uid() == Unistd.geteuid()
                ? null
                : TerminalAgent.ofThisProcess(
                        Files.exists(bus)
                                ? List.of(BusAddress.parse("unix:path=" + bus))
                                : BusAddress.system());
    }

    private static String noManager(ParseResult line, Path socket) {
        Path system = Path.of(SYSTEM, ManagerInterface.SOCKET);
        boolean isDefault = !line.hasMatchedOption(RUNTIME_DIR);
        String none = "no manager is running at " + socket + "; start one with: holdfast up";
        if (isDefault && !socket.equals(system) && Files.exists(system)) {
            return "no manager of yours is running at "
                    + socket
                    + "; for the units of the system add: "
                    + RUNTIME_DIR
                    + " "
                    + SYSTEM;
        }
        Optional<String> unusable = unusable(line);
        if (unusable.isPresent()) {
            return unusable.get();
        }
        return HostInit.isSystemd() ? none + "; for the units of systemd use: systemctl" : none;
    }

    private static String explain(VarlinkException e) {
        JsonObject parameters = e.parameters();
        return switch (e.error()) {
            case "io.holdfast.Manager.NoSuchUnit" ->
                    "not the name of a unit: " + parameters.string("name");
            case "io.holdfast.Manager.NoProcesses" ->
                    parameters.string("name") + " has no processes";
            case "io.holdfast.Manager.Failed" -> parameters.string("reason");
            case "org.varlink.service.PermissionDenied" ->
                    "permission denied: only root, the manager's user, or a user whom the authority"
                            + " authorizes";
            case "org.varlink.service.InvalidParameter" ->
                    "invalid parameter: " + parameters.string("parameter");
            default -> e.error();
        };
    }
}
