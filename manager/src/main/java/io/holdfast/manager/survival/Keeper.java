package io.holdfast.manager.survival;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.file.ScratchFolder;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysExec;
import io.holdfast.core.sys.process.SysMemfd;
import io.holdfast.core.sys.process.SysPrctl;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The process above a manager that holds what must outlive it, and starts it again when it is
 * killed: a shell that has nothing to do and so nothing to fail at, with a few hundred lines less
 * than any other choice.
 *
 * <pre>
 *   holdfast up (a JVM) ── makes the store, becomes ──▶ sh keeper.sh ── starts ──▶ holdfast up (a JVM): the manager
 *                                                           │  ▲ end of file: it has died
 *                                                           └──┴── starts the next one
 * </pre>
 *
 * <p>The keeper is what was started: its PID, its signals and its exit status are the program's. It
 * is a subreaper, as the manager is: what a dead manager has started comes to it and stays a
 * zombie, with its status, until the next manager has seen that and says so ({@link #reap}).
 */
public final class Keeper implements AutoCloseable {
    /** Names the descriptors that a manager inherits from its keeper. */
    public static final String PROPERTY = "holdfast.keeper";

    private static final String SCRIPT = "keeper.sh";
    private static final String SHELL = "/bin/sh";
    private static final int CONTROL = 8; // as the script has it
    private static final int FIRST_KEPT = 20; // shells put what they open for themselves at 10
    private static final int STORE_SOCKETS = 4;
    private static final int STORE_BYTES = 64 << 20;
    private static final Path TEMPORARY = Path.of(System.getProperty("java.io.tmpdir", "/tmp"));
    private static final String PREFIX = "holdfast-gate-"; // the manager removes what is left
    private static final int OWNER_ALONE = 0600;

    private final DescriptorStore store;
    private final Fd control;

    private Keeper(DescriptorStore store, Fd control) {
        this.store = store;
        this.control = control;
    }

    /**
     * Becomes the keeper of a manager.
     *
     * @param beforeOptions the command of the manager up to where options of the JVM may stand
     * @param others the rest of it
     * @throws ErrnoException why that cannot be: this process goes on as what it was
     */
    public static void become(List<String> beforeOptions, List<String> others) {
        List<Fd> kept = new ArrayList<>();
        try {
            DescriptorStore.make(STORE_BYTES).forEach(fd -> kept.add(aside(fd)));
            kept.add(aside(fifo()));
            kept.add(aside(script()));
            List<String> numbers = kept.stream().map(fd -> fd.with(String::valueOf)).toList();
            List<String> command =
                    Stream.of(
                                    Stream.of(
                                            "sh",
                                            "-c",
                                            ". /proc/self/fd/" + numbers.getLast(),
                                            "holdfast-keeper",
                                            numbers.get(STORE_SOCKETS)),
                                    beforeOptions.stream(),
                                    Stream.of("-D" + PROPERTY + "=" + String.join(",", numbers)),
                                    others.stream())
                            .flatMap(each -> each)
                            .toList();
            int _ = SysPrctl.setChildSubreaper(true);
            int r = SysExec.replace(SHELL, command, environment(), kept, List.of(Signal.CHLD));
            throw new ErrnoException("execve", SHELL, -r);
        } finally {
            kept.forEach(Fd::close);
        }
    }

    /** Where the script does not put descriptors of its own. */
    private static Fd aside(Fd fd) {
        try (fd) {
            return Fd.adopt(
                    ErrnoException.check(Fcntl.dupfd(fd, FIRST_KEPT), "fcntl(F_DUPFD)", fd));
        }
    }

    private static List<String> environment() {
        return System.getenv().entrySet().stream()
                .map((Map.Entry<String, String> one) -> one.getKey() + "=" + one.getValue())
                .toList();
    }

    /** One that no name leads to: it is opened through {@code /proc/self/fd}. */
    private static Fd fifo() {
        try (ScratchFolder folder = ScratchFolder.make(TEMPORARY, PREFIX)) {
            try {
                int r = SysStat.mkfifoat(folder.fd(), "fifo", OWNER_ALONE);
                ErrnoException.check(r, "mkfifo", TEMPORARY);
                return Fcntl.open(folder.fd(), "fifo", Fcntl.O_PATH, 0);
            } finally {
                int _ = SysStat.unlinkat(folder.fd(), "fifo");
                int _ = folder.remove();
            }
        }
    }

    private static Fd script() {
        byte[] text;
        try (InputStream in = Keeper.class.getResourceAsStream(SCRIPT)) {
            if (in == null) {
                throw new IllegalStateException("there is no " + SCRIPT);
            }
            text = in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Fd file = SysMemfd.make("holdfast-keeper");
        for (int written = 0; written < text.length; ) {
            int n = Unistd.write(file, text, written, text.length - written);
            written += ErrnoException.check(n, "write", SCRIPT);
        }
        return file;
    }

    /**
     * The keeper that has started this process, if one has. To be called once, and before any
     * process is started.
     *
     * @throws ErrnoException EBADF if the property names what was not inherited
     */
    public static Optional<Keeper> above() {
        String numbers = System.getProperty(PROPERTY, "");
        if (numbers.isEmpty()) {
            return Optional.empty();
        }
        List<Fd> inherited =
                Stream.of(numbers.split(",")).map(Integer::valueOf).map(Fd::inherited).toList();
        inherited.stream().skip(STORE_SOCKETS).forEach(Fd::close);
        Fd control = Fd.inherited(CONTROL);
        Keeper keeper =
                new Keeper(DescriptorStore.open(inherited.subList(0, STORE_SOCKETS)), control);
        keeper.tell("here");
        return Optional.of(keeper);
    }

    /** What the managers of this keeper have kept. */
    public DescriptorStore store() {
        return store;
    }

    /** There is something to lose from now on: when this process dies, the next one is started. */
    public void ready() {
        tell("ready");
    }

    /** Of all that has ended and come to the keeper, the status is known: nobody needs it there. */
    public void reap() {
        tell("reap");
    }

    /**
     * This process ends by itself, and with it the keeper: nothing is left to be taken back.
     *
     * @param status of the keeper's exit
     * @param runtime the runtime folder
     */
    public void ends(int status, Path runtime) {
        tell("exit " + status);
        StateFolder.remove(runtime);
    }

    private void tell(String line) {
        byte[] bytes = (line + "\n").getBytes(UTF_8); // less than PIPE_BUF: all or nothing
        int _ = Unistd.write(control, bytes, 0, bytes.length);
    }

    /** Lets go of its descriptors. */
    @Override
    public void close() {
        store.close();
        control.close();
    }
}
