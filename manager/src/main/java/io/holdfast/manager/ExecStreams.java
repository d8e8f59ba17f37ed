package io.holdfast.manager;

import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.manager.unit.ExecSettings;
import io.holdfast.manager.unit.StandardStream;
import java.nio.file.Path;
import java.util.Locale;

/** To what the standard streams of a command lead. */
final class ExecStreams {
    private ExecStreams() {}

    /**
     * @param output takes what goes to the journal, lent until the start
     * @throws SetupException if one of them is of a kind that is not supported
     */
    static void connect(Spawn spawn, ExecSettings settings, Fd output) throws SetupException {
        StandardStream in = settings.standardInput();
        Stdio input =
                switch (in.kind()) {
                    case NULL -> Stdio.devNull();
                    case FILE -> Stdio.from(Path.of(in.argument()));
                    default -> throw unsupported(SetupException.Step.STDIN, "StandardInput", in);
                };
        StandardStream out = settings.standardOutput();
        StandardStream error = settings.standardError();
        spawn.stdin(input)
                .stdout(
                        out.kind() == StandardStream.Kind.INHERIT
                                ? input
                                : sink(SetupException.Step.STDOUT, "StandardOutput", out, output))
                .stderr(
                        error.kind() == StandardStream.Kind.INHERIT
                                ? Stdio.merged()
                                : sink(SetupException.Step.STDERR, "StandardError", error, output));
    }

    private static Stdio sink(
            SetupException.Step step, String directive, StandardStream stream, Fd output)
            throws SetupException {
        Path path = Path.of(stream.argument());
        return switch (stream.kind()) {
            case NULL -> Stdio.devNull();
            case JOURNAL, JOURNAL_CONSOLE -> Stdio.descriptor(output);
            case KMSG, KMSG_CONSOLE -> new Stdio.File(Path.of("/dev/kmsg"), Fcntl.O_WRONLY);
            case FILE -> new Stdio.File(path, Fcntl.O_WRONLY | Fcntl.O_CREAT);
            case APPEND -> Stdio.appendTo(path);
            case TRUNCATE -> Stdio.to(path);
            default -> throw unsupported(step, directive, stream);
        };
    }

    private static SetupException unsupported(
            SetupException.Step step, String directive, StandardStream stream) {
        String kind = stream.kind().name().toLowerCase(Locale.ROOT).replace('_', '-');
        return new SetupException(step, directive + "=" + kind + " is not supported yet");
    }
}
