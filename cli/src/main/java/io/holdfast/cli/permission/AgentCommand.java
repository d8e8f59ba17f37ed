package io.holdfast.cli.permission;

import io.holdfast.authority.agent.AgentOptions;
import io.holdfast.authority.agent.AgentSubject;
import io.holdfast.authority.agent.AuthenticationAgent;
import io.holdfast.authority.agent.HelperAddress;
import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.command.ProcessArgument;
import io.holdfast.cli.command.TerminalAgent;
import io.holdfast.cli.command.TerminalFace;
import io.holdfast.cli.output.Output;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.address.BusAddressException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Runs an authentication agent, which shows the authority's dialogs on this terminal. */
public final class AgentCommand implements Command {
    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "Run an authentication agent on this terminal.")
                .description(
                        "%nA textual agent, as pkttyagent(1): asks the user to authenticate when"
                                + " the authority (polkitd or holdfast authority) requires it."
                                + " Ctrl-C at a prompt dismisses the dialog; without a dialog,"
                                + " Ctrl-C ends the agent. It needs a terminal of its own, whose"
                                + " foreground it keeps: start it in another terminal than the"
                                + " process that it serves. holdfast start, stop and the like need"
                                + " no agent, since they ask on their own terminal.%n")
                .footer(
                        "%nExamples:",
                        "  holdfast agent --process 4711",
                        "  holdfast agent --session 2 --fallback")
                .option(
                        "--process " + ProcessArgument.LABEL,
                        "Serve this process, given as PID, PID:ID or PID:ID:BOOT (default: the"
                                + " parent process of the agent).")
                .option("--session ID", "Serve all processes of this login session.")
                .flag(
                        "--fallback",
                        "Serve only if no other agent is registered, as in pkttyagent(1).")
                .option(
                        "--notify-fd N",
                        "Close the inherited descriptor N once the agent is registered.")
                .option(
                        "--helper-socket PATH",
                        "The socket of the authentication helper (default: agent-helper.socket"
                                + " beside the socket of the bus, in /run/holdfast or in"
                                + " /run/polkit, else polkit's setuid helper).")
                .option("--bus ADDRESS", "The bus of the authority (default: the system bus).")
                .spec();
    }

    @Override
    public int run(ParseResult line, Output output) throws Exception {
        List<BusAddress> addresses = BusOption.of(line);
        try (Held held = subject(line);
                TerminalFace face = openTerminal();
                BusConnection bus = BusConnection.connect(addresses, ConnectionOptions.standard());
                EventLoop loop = EventLoop.open();
                AuthenticationAgent agent =
                        AuthenticationAgent.register(
                                bus,
                                held.subject(),
                                options(line, addresses, System.getenv()),
                                face)) {
            closeNotifyFd(line);
            return serve(agent, held, loop);
        } catch (BusAddressException | ConnectionLostException | DBusException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        }
    }

    private static int serve(AuthenticationAgent agent, Held held, EventLoop loop)
            throws Exception {
        AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        Runnable interrupt =
                () -> {
                    if (!agent.dismiss()) {
                        loop.stop();
                    }
                };
        var _ =
                agent.onEnd()
                        .whenComplete((_, why) -> {
                            failure.set(why);
                            stop(loop);
                        });
        try (Registration _ = loop.onSignal(Signal.INT, interrupt);
                Registration _ = loop.onSignal(Signal.TERM, loop::stop);
                Registration _ = loop.onSignal(Signal.HUP, loop::stop);
                Registration _ = held.onExit(loop, loop::stop)) {
            loop.run();
        }
        Throwable why = failure.get();
        if (why != null) {
            Throwable cause = why.getCause() != null ? why.getCause() : why;
            throw new CommandException("the agent has ended: " + cause.getMessage(), why);
        }
        return ExitCode.OK;
    }

    private static void stop(EventLoop loop) {
        try {
            loop.post(loop::stop);
        } catch (RejectedExecutionException e) {
            // the loop has ended already
        }
    }

    private static TerminalFace openTerminal() {
        try {
            return TerminalFace.open();
        } catch (ErrnoException e) {
            throw new CommandException("no terminal: " + e.getMessage(), e);
        }
    }

    /**
     * The subject of the agent.
     *
     * @param process the subject's process, closed with this record; null for a session
     */
    private record Held(AgentSubject subject, @Nullable PidFd process) implements AutoCloseable {
        /** Calls {@code exited} when the process of the subject exits; never for a session. */
        Registration onExit(EventLoop loop, Runnable exited) {
            return process == null ? () -> false : process.onExit(loop, _ -> exited.run());
        }

        @Override
        public void close() {
            if (process != null) {
                process.close();
            }
        }
    }

    private static Held subject(ParseResult line) {
        String session = line.matchedOptionValue("--session", null);
        String process = line.matchedOptionValue("--process", null);
        if (session != null && process != null) {
            throw Command.misuse(line, "--process and --session exclude each other");
        }
        if (session != null) {
            return new Held(new AgentSubject.Session(session), null);
        }
        PidFd held = process != null ? ProcessArgument.open(process, line) : parent();
        return new Held(new AgentSubject.OneProcess(held), held);
    }

    private static PidFd parent() {
        try (PidFd self = PidFd.self()) {
            return self.parent()
                    .orElseThrow(() ->
                            new CommandException(
                                    "the parent is in another PID namespace; set the subject of the"
                                            + " agent with --process PID"));
        }
    }

    private static AgentOptions options(
            ParseResult line, List<BusAddress> buses, Map<String, String> environment) {
        AgentOptions options =
                TerminalAgent.options(buses, environment)
                        .withFallback(line.hasMatchedOption("--fallback"));
        String socket = line.matchedOptionValue("--helper-socket", null);
        return socket == null
                ? options
                : options.withHelpers(List.of(new HelperAddress.Socket(Path.of(socket))));
    }

    private static void closeNotifyFd(ParseResult line) {
        String number = line.matchedOptionValue("--notify-fd", null);
        if (number == null) {
            return;
        }
        try {
            Fd.inherited(Integer.parseInt(number)).close();
        } catch (IllegalArgumentException | ErrnoException e) {
            throw Command.misuse(line, "--notify-fd: not an inherited descriptor: " + number);
        }
    }
}
