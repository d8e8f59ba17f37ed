package io.holdfast.cli.permission;

import io.holdfast.authority.AuthorityEngine;
import io.holdfast.authority.AuthorityOptions;
import io.holdfast.authority.EmbeddedAuthority;
import io.holdfast.authority.client.Authority;
import io.holdfast.authority.client.Decision;
import io.holdfast.authority.client.Explanation;
import io.holdfast.authority.subject.Subject;
import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ProcessArgument;
import io.holdfast.cli.output.JsonText;
import io.holdfast.cli.output.Output;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.BusAddressException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Asks an authority whether a subject is authorized for an action, and why. */
public final class CheckCommand implements Command {
    @Override
    public CommandSpec spec() {
        return Grammar.of(
                        this,
                        "Check whether a process is authorized for an action, and explain why.")
                .description(
                        "%nWithout --process, --bus-name or --peer, checks the parent process,"
                                + " normally your shell.%n")
                .footer(
                        "%nExit codes: 0 authorized, 1 not authorized, 2 usage error, 3"
                                + " authentication required, 4 no answer (no authority is running,"
                                + " or it refused the request).",
                        "%nExamples:",
                        "  holdfast check org.freedesktop.hostname1.set-hostname",
                        "  holdfast check org.freedesktop.systemd1.manage-units --detail verb=start --explain",
                        "  holdfast check org.example.reboot --peer /run/app.sock --json",
                        "  holdfast check org.example.reboot --bus-name :1.7 --bus unix:path=/tmp/bus",
                        "  holdfast check org.example.reboot --process 4711 --uid 1000 --here --explain")
                .argument("ACTION", "1", "The action ID, such as org.example.reboot.")
                .option(
                        "--process PID",
                        "Check this process, given as PID, PID:ID or PID:ID:BOOT; needs --uid.")
                .option(
                        "--uid UID",
                        "With --process: the UID of the process when it connected; the process acts"
                                + " for this user.")
                .option(
                        "--bus-name NAME",
                        "Check the owner of this bus name, identified by its ProcessFD.")
                .option(
                        "--peer SOCKET",
                        "Check the listener on this AF_UNIX socket (a path or @name).")
                .options(
                        "--detail KEY=VALUE",
                        String.class,
                        "A detail of the action, for rules and dialogs; only for root and the owner"
                                + " of the action. May be given several times.")
                .flag(
                        "--explain",
                        "Print how the decision was reached; only from a Holdfast authority over"
                                + " Varlink, for root and the user of the authority.")
                .flag(
                        "--interactive",
                        "Let an authentication agent ask the user to authenticate, if required.")
                .flag(
                        "--always",
                        "Evaluate the rules for root, too (default: root is authorized for all"
                                + " actions).")
                .option(
                        "--authority ADDRESS",
                        "The Varlink address of the authority (default: HOLDFAST_AUTHORITY, else"
                                + " /run/holdfast/io.holdfast.Authority if it exists, else polkit"
                                + " on the system bus).")
                .option(
                        "--bus ADDRESS",
                        "The bus of NAME (default: the system bus). Without --authority, also the"
                                + " bus of the authority.")
                .flag(
                        "--here",
                        "Decide in this process, by the actions and rules in the folders of"
                                + " polkit(8), without a running authority.")
                .json("Print one JSON object.")
                .spec();
    }

    /** The exit code if authentication is required. */
    static final int CHALLENGE = 3;

    /** The exit code if no authority is running, or the authority refused the request. */
    static final int NO_ANSWER = 4;

    @Override
    public int run(ParseResult line, Output output) throws Exception {
        if (line.hasMatchedOption("--here")) {
            try (AuthorityEngine engine = AuthorityEngine.open(AuthorityOptions.standard());
                    Authority authority = EmbeddedAuthority.of(engine)) {
                return check(authority, line, output);
            } catch (IOException e) {
                throw new CommandException(String.valueOf(e.getMessage()), NO_ANSWER, e);
            }
        }
        try (Authority authority = authority(line)) {
            return check(authority, line, output);
        }
    }

    private static Authority authority(ParseResult line) {
        String address = line.matchedOptionValue("--authority", null);
        String bus = line.matchedOptionValue("--bus", null);
        try {
            if (address != null) {
                return Authority.overVarlink(address);
            }
            return bus == null ? Authority.connect() : Authority.overBus(BusAddress.parseList(bus));
        } catch (BusAddressException | IllegalArgumentException e) {
            throw Command.misuse(line, String.valueOf(e.getMessage()));
        }
    }

    private static int check(Authority authority, ParseResult line, Output output)
            throws Exception {
        String action = line.matchedPositionalValue(0, "");
        CompletableFuture<Decision> answer = begin(authority, action, line);
        Decision decision;
        try {
            decision = answer.get();
        } catch (ExecutionException e) {
            throw new CommandException(String.valueOf(e.getCause()), NO_ANSWER, e);
        }
        if (decision.failure().isPresent()) {
            throw new CommandException(decision.failure().get(), NO_ANSWER);
        }
        if (line.hasMatchedOption("--explain") && decision.explanation().isEmpty()) {
            output.complain(
                    "no explanation: it is sent only over Varlink (--authority), not on the bus,"
                            + " and"
                            + " only to root and the authority's user");
        }
        if (line.hasMatchedOption("--json")) {
            output.line(json(action, decision).toString());
        } else {
            print(action, decision, output);
        }
        if (decision.isAuthorized()) {
            return ExitCode.OK;
        }
        return decision.isChallenge() ? CHALLENGE : ExitCode.FAILURE;
    }

    private static CompletableFuture<Decision> begin(
            Authority authority, String action, ParseResult line) throws InterruptedException {
        Map<String, String> details = details(line);
        Authority.Option[] options = options(line);
        String busName = line.matchedOptionValue("--bus-name", null);
        String socket = line.matchedOptionValue("--peer", null);
        String process = line.matchedOptionValue("--process", null);
        if ((busName == null ? 0 : 1) + (socket == null ? 0 : 1) + (process == null ? 0 : 1) > 1) {
            throw Command.misuse(line, "--process, --bus-name and --peer exclude each other");
        }
        if (process == null && line.hasMatchedOption("--uid")) {
            throw Command.misuse(
                    line, "--uid needs --process: a connection acts for the user who opened it");
        }
        if (busName != null) {
            try (BusConnection bus = bus(line);
                    Peer peer = bus.peer(busName)) {
                return authority.check(peer, action, details, options);
            } catch (BusAddressException e) {
                throw Command.misuse(line, String.valueOf(e.getMessage()));
            } catch (DBusException | ConnectionLostException e) {
                throw new CommandException(String.valueOf(e.getMessage()), NO_ANSWER, e);
            }
        }
        if (socket != null) {
            try (UnixSocket connection =
                            UnixSocket.connect(UnixAddress.parse(socket), SocketType.STREAM);
                    Peer peer = connection.peer()) {
                return authority.check(peer, action, details, options);
            } catch (IllegalArgumentException e) {
                throw Command.misuse(line, "not a socket: '" + socket + "', " + e.getMessage());
            }
        }
        if (process != null) {
            try (PidFd held = ProcessArgument.open(process, line)) {
                return authority.check(held, uid(held, line), action, details, options);
            }
        }
        try (PidFd self = PidFd.self();
                PidFd shell = parentOf(self)) {
            return authority.check(shell, realUid(self), action, details, options);
        }
    }

    private static PidFd parentOf(PidFd self) {
        return self.parent()
                .orElseThrow(() ->
                        new CommandException(
                                "the parent is in another PID namespace; name the subject with"
                                        + " --process"));
    }

    /**
     * Returns the value of {@code --uid}. It is required, because the real UID of the process may
     * have changed since it connected.
     */
    private static long uid(PidFd process, ParseResult line) {
        String text = line.matchedOptionValue("--uid", null);
        if (text == null) {
            long now = realUid(process);
            throw Command.misuse(
                    line,
                    "--process needs --uid, the user that the process had when it connected: since"
                            + " then it may have executed a set-uid program. Its real user now is "
                            + now
                            + " (--uid "
                            + now
                            + ")");
        }
        if (!text.matches("[0-9]{1,10}") || Long.parseLong(text) > Authority.MAX_UID) {
            throw Command.misuse(
                    line,
                    "not a uid: '" + text + "'; expected a number from 0 to " + Authority.MAX_UID);
        }
        return Long.parseLong(text);
    }

    private static long realUid(PidFd process) {
        try {
            return Subject.UnixProcess.realUid(process);
        } catch (ErrnoException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        }
    }

    private static BusConnection bus(ParseResult line) throws InterruptedException {
        String bus = line.matchedOptionValue("--bus", null);
        return bus == null ? BusConnection.system() : BusConnection.connect(bus);
    }

    private static Map<String, String> details(ParseResult line) {
        Map<String, String> details = new LinkedHashMap<>();
        for (String text : line.<List<String>>matchedOptionValue("--detail", List.of())) {
            int equals = text.indexOf('=');
            if (equals <= 0) {
                throw Command.misuse(line, "not KEY=VALUE: '" + text + "'");
            }
            details.put(text.substring(0, equals), text.substring(equals + 1));
        }
        return details;
    }

    private static Authority.Option[] options(ParseResult line) {
        List<Authority.Option> options = new ArrayList<>();
        if (line.hasMatchedOption("--interactive")) {
            options.add(Authority.Option.INTERACTIVE);
        }
        if (line.hasMatchedOption("--always")) {
            options.add(Authority.Option.ALWAYS);
        }
        if (line.hasMatchedOption("--explain")) {
            options.add(Authority.Option.EXPLAIN);
        }
        return options.toArray(Authority.Option[]::new);
    }

    private static void print(String action, Decision decision, Output output) {
        Output.Styled answer;
        if (decision.isAuthorized()) {
            answer = output.good("yes");
        } else if (decision.isChallenge()) {
            String kind = decision.details().getOrDefault("polkit.result", "");
            answer =
                    output.warning(
                            "authentication required" + (kind.isEmpty() ? "" : " (" + kind + ")"));
        } else {
            answer = output.bad("no");
        }
        output.line(output.strong(action), ": ", answer);
        decision.explanation()
                .ifPresent(explanation -> explanation.steps().forEach(step -> print(step, output)));
        new TreeMap<>(decision.details())
                .forEach((key, value) -> output.line("  ", output.faint(key + " = "), value));
    }

    private static void print(Explanation.Step step, Output output) {
        String place = step.place().isEmpty() ? "" : " " + step.place();
        output.line("  ", output.faint(step.topic() + ":"), " ", step.text(), output.faint(place));
    }

    private static JsonText json(String action, Decision decision) {
        JsonText details = JsonText.object();
        new TreeMap<>(decision.details()).forEach(details::put);
        JsonText json =
                JsonText.object()
                        .put("action", action)
                        .put("isAuthorized", decision.isAuthorized())
                        .put("isChallenge", decision.isChallenge())
                        .put("details", details);
        decision.explanation()
                .ifPresent(explanation ->
                        json.put(
                                "explanation",
                                explanation.steps().stream()
                                        .map(step ->
                                                JsonText.object()
                                                        .put("topic", step.topic())
                                                        .put("text", step.text())
                                                        .put("place", step.place()))
                                        .toList()));
        return json;
    }
}
