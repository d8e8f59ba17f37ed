package io.holdfast.manager.survival;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.state.StateFolder;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SignalDispositions;
import io.holdfast.core.sys.process.SysExec;
import io.holdfast.core.sys.process.SysMemfd;
import io.holdfast.core.sys.process.SysPrctl;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The process above a manager that holds what must outlive it, and starts it again when it is
 * killed: a shell that only waits, so that there is next to nothing in it that can fail.
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
    /** The environment variable that names the descriptors which a manager inherits from it. */
    public static final String VARIABLE = "HOLDFAST_KEEPER";

    /** Set for a manager whose keeper was started with SIGHUP ignored, as by nohup(1). */
    public static final String HANGUP_VARIABLE = "HOLDFAST_HANGUP_IGNORED";

    /** The key of what is printed, which belongs to no unit. */
    public static final String PRINTED_LINES = "printed lines";

    /** What the keeper hears, though this process may have been started with it ignored. */
    private static final List<Signal> HEARD = List.of(Signal.INT, Signal.TERM);

    private static final String SCRIPT = "keeper.sh";
    private static final String SHELL = "/bin/sh";
    private static final int CONTROL = 8; // as the script has it
    private static final int FIRST_KEPT = 20; // shells put what they open for themselves at 10
    private static final int STORE_BYTES = 64 << 20;

    private final DescriptorStore store;
    private final Fd control;
    private boolean ownsStates;

    private Keeper(DescriptorStore store, Fd control) {
        this.store = store;
        this.control = control;
    }

    /**
     * Becomes the keeper of a manager.
     *
     * @param manager the command that starts a manager, each time anew
     * @throws ErrnoException why that cannot be: this process goes on as what it was
     */
    public static void become(List<String> manager) {
        List<Fd> made = new ArrayList<>();
        List<Fd> kept = new ArrayList<>();
        try {
            made.addAll(
                    SupervisorStore.take()
                            .orElseGet(() -> {
                                List<Fd> sockets = DescriptorStore.make(STORE_BYTES);
                                SupervisorStore.keep(sockets);
                                return sockets;
                            }));
            Fd[] pipe = Unistd.pipe2(0);
            made.addAll(List.of(pipe));
            Fd script = script();
            made.add(script);
            Stream.of(made.subList(0, DescriptorStore.SOCKETS), List.of(pipe[0], script))
                    .flatMap(List::stream)
                    .forEach(fd -> kept.add(aside(fd)));
            List<String> numbers = kept.stream().map(fd -> fd.with(String::valueOf)).toList();
            List<String> command =
                    new ArrayList<>(
                            List.of(
                                    "sh",
                                    "-c",
                                    ". /proc/self/fd/" + numbers.getLast(),
                                    "holdfast-keeper",
                                    numbers.get(DescriptorStore.SOCKETS),
                                    String.join(",", numbers),
                                    SignalDispositions.takeBack(Signal.HUP) ? "yes" : ""));
            command.addAll(manager);
            int _ = SysPrctl.setChildSubreaper(true);
            HEARD.forEach(SignalDispositions::takeBack); // a shell cannot
            int r = SysExec.replace(SHELL, command, kept, List.of(Signal.CHLD));
            throw new ErrnoException("execve", SHELL, -r);
        } finally {
            made.forEach(Fd::close);
            kept.forEach(Fd::close);
        }
    }

    /** The same file where the script does not put descriptors of its own. */
    private static Fd aside(Fd fd) {
        return Fd.adopt(Fcntl.dupfd(fd, FIRST_KEPT), "fcntl(F_DUPFD_CLOEXEC)", fd);
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
        try {
            for (int written = 0; written < text.length; ) {
                int n = Unistd.write(file, text, written, text.length - written);
                written += ErrnoException.check(n, "write", SCRIPT);
            }
            return file;
        } catch (ErrnoException e) {
            file.close();
            throw e;
        }
    }

    /**
     * The keeper that has started this process, if one has. To be called once, and before any
     * process is started.
     *
     * @throws ErrnoException EBADF if its variable names what was not inherited
     */
    public static Optional<Keeper> above() {
        String numbers = System.getenv(VARIABLE);
        if (numbers == null || numbers.isEmpty()) {
            return Optional.empty();
        }
        List<Fd> inherited =
                Stream.of(numbers.split(",")).map(Integer::valueOf).map(Fd::inherited).toList();
        inherited.stream().skip(DescriptorStore.SOCKETS).forEach(Fd::close);
        Fd control = Fd.inherited(CONTROL);
        Keeper keeper =
                of(DescriptorStore.open(inherited.subList(0, DescriptorStore.SOCKETS)), control);
        keeper.tell("here");
        return Optional.of(keeper);
    }

    /**
     * The keeper that has this store.
     *
     * @param store owned from now on
     * @param control where it is told what it must know; owned, too
     */
    public static Keeper of(DescriptorStore store, Fd control) {
        return new Keeper(store, control);
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

    /** What is written down in the runtime folder is of this keeper's managers, by its lock. */
    void ownsStates() {
        ownsStates = true;
    }

    /**
     * This process ends by itself, and with it the keeper: nothing is left to be adopted.
     *
     * @param status of the keeper's exit
     * @param runtime the runtime folder, in which another manager may live
     */
    public void ends(int status, Path runtime) {
        tell("exit " + status);
        forget(runtime);
    }

    /**
     * Removes all that the next manager would adopt.
     *
     * @param runtime the runtime folder, in which another manager may live
     */
    public void forget(Path runtime) {
        store.clear(); // a systemd may hold it, too
        if (ownsStates) {
            StateFolder.remove(runtime);
        }
    }

    /**
     * Tells when the keeper has died, which nothing outlives.
     *
     * @return ends that; before this is closed
     */
    public AutoCloseable onDeath(EventLoop loop, Runnable died) {
        EventLoop.Watch[] watch = new EventLoop.Watch[1];
        watch[0] =
                loop.watch(
                        control,
                        0, // the reading end is the keeper's alone: it is closed with it
                        _ -> {
                            watch[0].close();
                            died.run();
                        });
        return watch[0];
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
