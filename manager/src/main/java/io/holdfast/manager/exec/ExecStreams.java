package io.holdfast.manager.exec;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.FileKind;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.file.folder.HeldPath;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysMemfd;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.value.OpenFile;
import io.holdfast.manager.unit.value.StandardDescriptor;
import io.holdfast.manager.unit.value.StandardStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(5);

    private static final Set<StandardStream.Kind> FILES =
            Set.of(
                    StandardStream.Kind.FILE,
                    StandardStream.Kind.APPEND,
                    StandardStream.Kind.TRUNCATE);

    private final ExecSettings settings;
    private Fd output;
    private final PassedDescriptors passed;
    private final UnitTerminal terminal;
    private final List<AutoCloseable> opened = new ArrayList<>();
    private Optional<Fd> controlling = Optional.empty();
    private Optional<String> journalStream = Optional.empty();

    /**
     * @param output receives what goes to the journal, lent until the start
     * @param passed the descriptors from sockets, and streams that replace those of the settings;
     *     lent until the start
     */
    ExecStreams(ExecSettings settings, Fd output, PassedDescriptors passed) {
        this.settings = settings;
        this.output = output;
        this.passed = passed;
        this.terminal = new UnitTerminal(settings.streams().terminal());
    }

    /** {@return whether one of the outputs goes to the journal} */
    boolean useJournal() {
        return outputs().anyMatch(StandardStream::isJournal);
    }

    /** {@return whether one of the outputs goes to the journal and to the console} */
    boolean useConsole() {
        return outputs().anyMatch(each -> each.kind() == StandardStream.Kind.JOURNAL_CONSOLE);
    }

    /** Returns the outputs of the settings that are not replaced by passed descriptors. */
    private Stream<StandardStream> outputs() {
        Map<StandardDescriptor, Fd> given = passed.streams();
        return Stream.concat(
                Stream.of(settings.standardOutput())
                        .filter(_ -> !given.containsKey(StandardDescriptor.OUTPUT)),
                Stream.of(settings.standardError())
                        .filter(_ -> !given.containsKey(StandardDescriptor.ERROR)));
    }

    /**
     * Sends what goes to the journal to a receiver instead.
     *
     * @param connection owned from now on
     */
    void journal(UnixSocket connection) {
        opened.add(connection);
        output = connection.fd();
        FileStatus status = SysStat.stat(connection.fd());
        journalStream = Optional.of(status.device() + ":" + status.inode());
    }

    /**
     * Returns the device and inode of the connection to the receiver, by which a program recognizes
     * that its output is one.
     */
    Optional<String> journalStream() {
        return journalStream;
    }

    /**
     * Opens the streams, and gives them to a command that is about to be started.
     *
     * @param main whether it is one of {@code ExecStart=}; the others get no terminal as input
     * @throws SetupException if one names a socket that does not exist, or a file that cannot be
     *     opened
     */
    void connect(Spawn spawn, boolean main) throws SetupException {
        Stdio input = input(main);
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
                                        ? inherited(input, main)
                                        : sink(SetupException.Step.STDOUT, "StandardOutput", out))
                .stderr(
                        givenError != null
                                ? Stdio.descriptor(givenError)
                                : error.kind() == StandardStream.Kind.INHERIT || oneFile
                                        ? Stdio.merged() // shares one file position
                                        : sink(SetupException.Step.STDERR, "StandardError", error));
    }

    /** Returns the input as an output; a terminal even where it is not the input. */
    private Stdio inherited(Stdio input, boolean main) throws SetupException {
        return settings.standardInput().isTerminal() && !main
                ? terminalOutput(SetupException.Step.STDOUT)
                : input;
    }

    private Stdio input(boolean main) throws SetupException {
        Fd given = passed.streams().get(StandardDescriptor.INPUT);
        if (given != null) {
            return Stdio.descriptor(given);
        }
        StandardStream in = settings.standardInput();
        return switch (in.kind()) {
            case NULL -> Stdio.devNull();
            case TTY, TTY_FORCE, TTY_FAIL -> main ? terminalInput(in.kind()) : Stdio.devNull();
            case DATA -> data();
            case FILE -> source(in.argument());
            case SOCKET, FD -> passed(SetupException.Step.STDIN, "StandardInput", in);
            default -> throw new IllegalArgumentException("not an input: " + in);
        };
    }

    /** Returns the standard input, if it was passed and may be a terminal. */
    Optional<Fd> passedInput() {
        return Optional.ofNullable(passed.streams().get(StandardDescriptor.INPUT));
    }

    // ---- the terminal, and data

    /** Returns the terminal that must become the controlling one of the process. */
    Optional<Fd> controlling() {
        return controlling;
    }

    private Stdio terminalInput(StandardStream.Kind kind) throws SetupException {
        try {
            if (kind == StandardStream.Kind.TTY_FORCE) {
                terminal.hangUp();
            }
            Fd fd = terminal(OpenHow.readingAndWriting());
            controlling = Optional.of(fd);
            return Stdio.descriptor(fd);
        } catch (FileException | ErrnoException e) {
            throw new SetupException(SetupException.Step.STDIN, e);
        }
    }

    private Stdio terminalOutput(SetupException.Step step) throws SetupException {
        try {
            return Stdio.descriptor(
                    controlling.isPresent() ? controlling.get() : terminal(OpenHow.writing()));
        } catch (FileException e) {
            throw new SetupException(step, e);
        }
    }

    private Fd terminal(OpenHow how) throws FileException {
        OpenedFile file = terminal.open(how);
        opened.add(file);
        if (!UnitTerminal.isTerminal(file.fd())) {
            throw FileException.refusal(terminal.toString(), "is no terminal", Errno.ENOTTY, null);
        }
        return file.fd();
    }

    /** Returns the data of the unit's files, readable from the beginning. */
    private Stdio data() throws SetupException {
        byte[] bytes = settings.streams().inputData();
        try (Fd file = SysMemfd.make("StandardInput")) {
            for (int at = 0; at < bytes.length; ) {
                int n = Unistd.write(file, bytes, at, bytes.length - at);
                at += ErrnoException.check(n, "write", "StandardInput");
            }
            Fd readable =
                    file.with(number -> Fcntl.open("/proc/self/fd/" + number, Fcntl.O_RDONLY));
            opened.add(readable);
            return Stdio.descriptor(readable);
        } catch (ErrnoException e) {
            throw new SetupException(SetupException.Step.STDIN, e);
        }
    }

    /**
     * Opens the files of {@code OpenFile=}.
     *
     * @return lent
     * @throws SetupException if one cannot be opened and must be there
     */
    List<PassedDescriptors.Passed> files() throws SetupException, InterruptedException {
        List<PassedDescriptors.Passed> files = new ArrayList<>();
        for (OpenFile file : settings.streams().files()) {
            try {
                files.add(new PassedDescriptors.Passed(opened(file), file.name()));
            } catch (FileException | ErrnoException e) {
                if (!file.graceful()) {
                    throw new SetupException(SetupException.Step.FDS, e);
                }
            }
        }
        return files;
    }

    /** Connects to a socket, whatever its type is. */
    private static UnixSocket connected(UnixAddress address) throws InterruptedException {
        for (SocketType type : List.of(SocketType.STREAM, SocketType.SEQPACKET)) {
            try {
                return UnixSocket.connect(address, type, CONNECT_LIMIT);
            } catch (ErrnoException e) {
                if (e.errno() != Errno.EPROTOTYPE) {
                    throw e;
                }
            }
        }
        return UnixSocket.connect(address, SocketType.DATAGRAM, CONNECT_LIMIT);
    }

    private Fd opened(OpenFile file) throws FileException, InterruptedException {
        try (HeldPath held = HeldPath.open(file.path())) {
            if (held.kind() == FileKind.SOCKET) {
                String path = held.fd().with(number -> "/proc/self/fd/" + number);
                UnixSocket socket = connected(UnixAddress.path(Path.of(path)));
                opened.add(socket);
                Fcntl.setBlocking(socket.fd(), true);
                return socket.fd();
            }
        }
        OpenHow how =
                switch (file.mode()) {
                    case READ_WRITE -> OpenHow.readingAndWriting();
                    case READ_ONLY -> OpenHow.reading();
                    case APPEND -> OpenHow.readingAndWriting().append();
                    case TRUNCATE -> OpenHow.readingAndWriting().truncate();
                };
        return open(file.path(), how).fd();
    }

    private Stdio sink(SetupException.Step step, String directive, StandardStream stream)
            throws SetupException {
        return switch (stream.kind()) {
            case NULL -> Stdio.devNull();
            case TTY -> terminalOutput(step);
            case JOURNAL, JOURNAL_CONSOLE -> Stdio.descriptor(output);
            case KMSG, KMSG_CONSOLE -> file(step, "/dev/kmsg", OpenHow.writing());
            case FILE -> file(step, stream.argument(), writing());
            case APPEND -> file(step, stream.argument(), writing().append());
            case TRUNCATE -> file(step, stream.argument(), writing().truncate());
            case SOCKET, FD -> passed(step, directive, stream);
            default -> throw new IllegalArgumentException("not an output: " + stream);
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

    /** Takes over another file of the command, which is closed together with the streams. */
    Fd adopt(Fd file) {
        opened.add(file);
        return file;
    }

    @Override
    public void close() {
        for (AutoCloseable one : opened) {
            try {
                one.close();
            } catch (Exception e) {
                throw new IllegalStateException(e); // none of them fails to close
            }
        }
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
}
