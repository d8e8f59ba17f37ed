package io.holdfast.cli.log;

import io.holdfast.cli.command.Command;
import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.DaemonProcess;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.cli.command.Grammar;
import io.holdfast.cli.output.Output;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import io.holdfast.core.socket.ListenFds;
import io.holdfast.core.socket.Notify;
import io.holdfast.journal.Id128;
import io.holdfast.manager.unit.file.ManagerConfigurationFiles;
import io.holdfast.receiver.Receiver;
import io.holdfast.receiver.ReceiverOptions;
import io.holdfast.varlink.server.VarlinkServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** Runs the receiver of log messages in the foreground. */
public final class JournalCommand implements Command {
    private static final Path KERNEL = Path.of("/dev/kmsg");

    @Override
    public CommandSpec spec() {
        return Grammar.of(this, "Receive log messages, and store them as journald does.")
                .description(
                        "%nRuns until SIGINT or SIGTERM. Listens on the sockets of syslog(3), of"
                                + " sd_journal_send(3) and of standard output streams, in the folder"
                                + " of --sockets: dev-log, socket and stdout. Each message is"
                                + " attributed to its sender by the pidfd that the kernel passes"
                                + " beside it, so also if the sender has exited and its PID is"
                                + " another process's. journalctl(1) reads the files.%n")
                .footer(
                        "%nExamples:",
                        "  holdfast journal",
                        "  holdfast journal --sockets /run/user/1000/journal --directory ~/.log",
                        "  ln -s /run/systemd/journal/dev-log /dev/log")
                .option(
                        "--sockets FOLDER",
                        "Listen in this folder (default: /run/systemd/journal).")
                .option(
                        "--directory FOLDER",
                        "Store in this folder (default: as journald.conf(5) says, so in"
                                + " /var/log/journal/MACHINE-ID if /var/log/journal exists, else in"
                                + " /run/log/journal/MACHINE-ID).")
                .flag(
                        "--kernel",
                        "Receive the messages of the kernel and of its audit, too, as far as this"
                                + " process may.")
                .flag(
                        "--one-file",
                        "Store the messages of all users in system.journal (default: those of each"
                                + " ordinary user in a file that this user may read).")
                .spec();
    }

    @Override
    public boolean isDaemon() {
        return true;
    }

    @Override
    public int run(ParseResult line, Output output) throws Exception {
        DaemonProcess _ = DaemonProcess.begin();
        List<ListenFds.Named> passed = ListenFds.take();
        List<ListenFds.Named> varlink = passed.stream().filter(JournalInterface::isSocket).toList();
        ReceiverOptions options = options(line, output);
        options =
                options.withPassed(
                        passed.stream().filter(each -> !varlink.contains(each)).toList());
        try (Receiver receiver = Receiver.open(options);
                VarlinkServer _ = JournalInterface.serve(receiver, options.sockets(), varlink);
                Registration _ = receiver.loop().onSignal(Signal.TERM, receiver::stop);
                Registration _ = receiver.loop().onSignal(Signal.INT, receiver::stop)) {
            if (line.hasMatchedOption("--kernel")) {
                receiver.receiveKernel(KERNEL).forEach(refused -> output.line(refused));
            }
            output.line("receiving in ", options.sockets(), ", storing in ", options.storage());
            boolean _ = Notify.send("READY=1");
            receiver.run();
            boolean _ = Notify.send("STOPPING=1");
            return ExitCode.OK;
        } catch (IOException e) {
            throw new CommandException(CommandException.reason(e), e);
        } catch (ErrnoException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
        }
    }

    /** Returns what the line says; for the journal of the machine, what journald.conf(5) says. */
    private static ReceiverOptions options(ParseResult line, Output output) throws IOException {
        Path sockets =
                Path.of(line.matchedOptionValue("--sockets", "/run/systemd/journal"))
                        .toAbsolutePath();
        boolean splitsUsers = !line.hasMatchedOption("--one-file");
        String folder = line.matchedOptionValue("--directory", "");
        if (!folder.isEmpty()) {
            Path storage = Path.of(folder).toAbsolutePath();
            return new ReceiverOptions(sockets, storage, splitsUsers, output::warn);
        }
        JournaldConfiguration configured =
                JournaldConfiguration.read(ManagerConfigurationFiles.ofSystem("journald.conf"));
        Path base = configured.folder();
        ReceiverOptions options =
                new ReceiverOptions(
                                sockets,
                                base.resolve(Id128.machine().toString()),
                                splitsUsers && configured.splitsUsers(),
                                output::warn)
                        .withLimits(configured.limits(base));
        configured.problems().forEach(output::warn);
        return options;
    }
}
