package io.holdfast.manager;

import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.manager.unit.ExecSettings;
import io.holdfast.manager.unit.StandardStream;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;

/** To what the standard streams of a command lead. */
final class ExecStreams {
    private ExecStreams() {}

    /**
     * @param output takes what goes to the journal, lent until the start
     * @param passed by sockets, lent until the start
     * @throws SetupException if one of them is of a kind that is not supported, or leads to a
     *     socket that there is not
     */
    static void connect(Spawn spawn, ExecSettings settings, Fd output, PassedDescriptors passed)
            throws SetupException {
        StandardStream in = settings.standardInput();
        Stdio input =
                switch (in.kind()) {
                    case NULL -> Stdio.devNull();
                    case FILE -> Stdio.from(Path.of(in.argument()));
                    case SOCKET, FD ->
                            passed(SetupException.Step.STDIN, "StandardInput", in, passed);
                    default -> throw unsupported(SetupException.Step.STDIN, "StandardInput", in);
                };
        StandardStream out = settings.standardOutput();
        StandardStream error = settings.standardError();
        spawn.stdin(input)
                .stdout(
                        out.kind() == StandardStream.Kind.INHERIT
                                ? input
                                : sink(
                                        SetupException.Step.STDOUT,
                                        "StandardOutput",
                                        out,
                                        output,
                                        passed))
                .stderr(
                        error.kind() == StandardStream.Kind.INHERIT
                                ? Stdio.merged()
                                : sink(
                                        SetupException.Step.STDERR,
                                        "StandardError",
                                        error,
                                        output,
                                        passed));
    }

    private static Stdio sink(
            SetupException.Step step,
            String directive,
            StandardStream stream,
            Fd output,
            PassedDescriptors passed)
            throws SetupException {
        Path path = Path.of(stream.argument());
        return switch (stream.kind()) {
            case NULL -> Stdio.devNull();
            case JOURNAL, JOURNAL_CONSOLE -> Stdio.descriptor(output);
            case KMSG, KMSG_CONSOLE -> new Stdio.File(Path.of("/dev/kmsg"), Fcntl.O_WRONLY);
            case FILE -> new Stdio.File(path, Fcntl.O_WRONLY | Fcntl.O_CREAT);
            case APPEND -> Stdio.appendTo(path);
            case TRUNCATE -> Stdio.to(path);
            case SOCKET, FD -> passed(step, directive, stream, passed);
            default -> throw unsupported(step, directive, stream);
        };
    }

    /** Whether one of the streams is the one socket that the service has. */
    static boolean useSocket(ExecSettings settings) {
        return Stream.of(
                        settings.standardInput(),
                        settings.standardOutput(),
                        settings.standardError())
                .anyMatch(stream -> stream.kind() == StandardStream.Kind.SOCKET);
    }

    /** A stream that is a socket, or a descriptor of one by its name or the stream's own. */
    private static Stdio passed(
            SetupException.Step step,
            String directive,
            StandardStream stream,
            PassedDescriptors passed)
            throws SetupException {
        if (stream.kind() == StandardStream.Kind.SOCKET) {
            int count = passed.list().size();
            if (count != 1) {
                throw new SetupException(
                        step, directive + "=socket is for one socket, and it has " + count);
            }
            return Stdio.descriptor(passed.list().getFirst().fd());
        }
        String name =
                stream.argument().isEmpty()
                        ? switch (step) {
                            case STDIN -> "stdin";
                            case STDOUT -> "stdout";
                            default -> "stderr";
                        }
                        : stream.argument();
        Fd fd =
                passed.named(name)
                        .orElseThrow(() ->
                                new SetupException(
                                        step, directive + "=fd: no socket has the name " + name));
        return Stdio.descriptor(fd);
    }

    private static SetupException unsupported(
            SetupException.Step step, String directive, StandardStream stream) {
        String kind = stream.kind().name().toLowerCase(Locale.ROOT).replace('_', '-');
        return new SetupException(step, directive + "=" + kind + " is not supported yet");
    }
}
