package io.holdfast.manager.exec;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.FileKind;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.value.StandardDescriptor;
import io.holdfast.manager.unit.value.StandardStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Opens the standard streams of one command. Files are opened without blocking. A FIFO's other end
 * must be open already: systemd's child would wait for it in open(2), here the start fails and says
 * so. The files are closed together with this object, once the command has been started. Blocking.
 */
public final class ExecStreams implements AutoCloseable {
    private static final int FILE_MODE = 0666; // less UMask=

    private static final Set<StandardStream.Kind> FILES =
            Set.of(
                    StandardStream.Kind.FILE,
                    StandardStream.Kind.APPEND,
                    StandardStream.Kind.TRUNCATE);

    private final ExecSettings settings;
    private final Fd output;
    private final PassedDescriptors passed;
    private final List<OpenedFile> opened = new ArrayList<>();

    /**
     * @param output receives what goes to the journal, lent until the start
     * @param passed the descriptors from sockets, and streams that replace those of the settings;
     *     lent until the start
     */
    ExecStreams(ExecSettings settings, Fd output, PassedDescriptors passed) {
        this.settings = settings;
        this.output = output;
        this.passed = passed;
    }

    /**
     * Opens the streams, and gives them to a command that is about to be started.
     *
     * @throws SetupException if the kind of one is not supported, if it names a socket that does
     *     not exist, or a file that cannot be opened
     */
    void connect(Spawn spawn) throws SetupException {
        Stdio input = input();
        StandardStream out = settings.standardOutput();
        StandardStream error = settings.standardError();
        boolean oneFile = error.equals(out) && FILES.contains(out.kind());
        Fd givenOutput = passed.streams().get(StandardDescriptor.OUTPUT);
        Fd givenError = passed.streams().get(StandardDescriptor.ERROR);
        spawn.stdin(input)
                .stdout(
                        givenOutput != null
                                ? Stdio.descriptor(givenOutput)
                                : out.kind() == StandardStream.Kind.INHERIT
                                        ? input
                                        : sink(SetupException.Step.STDOUT, "StandardOutput", out))
                .stderr(
                        givenError != null
                                ? Stdio.descriptor(givenError)
                                : error.kind() == StandardStream.Kind.INHERIT || oneFile
                                        ? Stdio.merged() // shares one file position
                                        : sink(SetupException.Step.STDERR, "StandardError", error));
    }

    private Stdio input() throws SetupException {
        Fd given = passed.streams().get(StandardDescriptor.INPUT);
        if (given != null) {
            return Stdio.descriptor(given);
        }
        StandardStream in = settings.standardInput();
        return switch (in.kind()) {
            case NULL -> Stdio.devNull();
            case FILE -> source(in.argument());
            case SOCKET, FD -> passed(SetupException.Step.STDIN, "StandardInput", in);
            default -> throw unsupported(SetupException.Step.STDIN, "StandardInput", in);
        };
    }

    /** Returns the standard input, if it was passed and may be a terminal. */
    Optional<Fd> passedInput() {
        return Optional.ofNullable(passed.streams().get(StandardDescriptor.INPUT));
    }

    private Stdio sink(SetupException.Step step, String directive, StandardStream stream)
            throws SetupException {
        return switch (stream.kind()) {
            case NULL -> Stdio.devNull();
            case JOURNAL, JOURNAL_CONSOLE -> Stdio.descriptor(output);
            case KMSG, KMSG_CONSOLE -> file(step, "/dev/kmsg", OpenHow.writing());
            case FILE -> file(step, stream.argument(), writing());
            case APPEND -> file(step, stream.argument(), writing().append());
            case TRUNCATE -> file(step, stream.argument(), writing().truncate());
            case SOCKET, FD -> passed(step, directive, stream);
            default -> throw unsupported(step, directive, stream);
        };
    }

    // ---- files

    private OpenHow writing() {
        return OpenHow.writing().creating(FILE_MODE & ~settings.umask());
    }

    private Stdio file(SetupException.Step step, String path, OpenHow how) throws SetupException {
        try {
            return Stdio.descriptor(open(path, how).fd());
        } catch (FileException e) {
            throw new SetupException(step, e);
        }
    }

    private Stdio source(String path) throws SetupException {
        try {
            OpenedFile file = open(path, OpenHow.reading());
            if (file.kind() == FileKind.FIFO && !file.hasWriter()) {
                throw FileException.refusal(
                        path,
                        "is a FIFO without a writer",
                        Errno.ENXIO,
                        "start its writer first, or use ListenFIFO= and StandardInput=fd");
            }
            return Stdio.descriptor(file.fd());
        } catch (FileException e) {
            throw new SetupException(SetupException.Step.STDIN, e);
        }
    }

    private OpenedFile open(String path, OpenHow how) throws FileException {
        OpenedFile file =
                OpenedFile.open(
                        path,
                        how.kinds(FileKind.REGULAR, FileKind.FIFO, FileKind.CHARACTER_DEVICE)
                                .blocking());
        opened.add(file);
        return file;
    }

    @Override
    public void close() {
        opened.forEach(OpenedFile::close);
    }

    // ---- sockets

    /** {@return whether one of the streams is the service's only socket} */
    public static boolean useSocket(ExecSettings settings) {
        return Stream.of(
                        settings.standardInput(),
                        settings.standardOutput(),
                        settings.standardError())
                .anyMatch(stream -> stream.kind() == StandardStream.Kind.SOCKET);
    }

    /**
     * Returns a stream for a socket, or for a descriptor with the given name or the stream's own.
     */
    private Stdio passed(SetupException.Step step, String directive, StandardStream stream)
            throws SetupException {
        if (stream.kind() == StandardStream.Kind.SOCKET) {
            int count = passed.list().size();
            if (count != 1) {
                throw new SetupException(
                        step,
                        directive + "=socket needs exactly one socket: the service has " + count);
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
