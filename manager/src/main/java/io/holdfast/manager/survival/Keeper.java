package io.holdfast.manager.survival;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Registration;
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
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * The parent process of a manager, which holds what must outlive the manager and restarts it when
 * it is killed. It is a shell that only waits, so there is next to nothing in it that can fail.
 *
 * <pre>
 *   holdfast up (a JVM) ── makes the store, becomes ──▶ sh keeper.sh ── starts ──▶ holdfast up (a JVM): the manager
 *                                                           │  ▲ end of file: it has died
 *                                                           └──┴── starts the next one
 * </pre>
 *
 * <p>The keeper is the process that the user started: its PID, its signals and its exit status are
 * those of the program. Like the manager it is a subreaper: the children of a dead manager are
 * reparented to it, and stay zombies, with their exit status, until the next manager has read the
 * status and requests the reaping ({@link #reap}).
 */
public final class Keeper implements AutoCloseable {
    /**
     * The environment variable that lists the descriptors that a manager inherits from the keeper.
     */
    public static final String VARIABLE = "HOLDFAST_KEEPER";

    /**
     * The environment variable that is set if the keeper was started with SIGHUP ignored, as by
     * nohup(1).
     */
    public static final String HANGUP_VARIABLE = "HOLDFAST_HANGUP_IGNORED";

    /**
     * The environment variable that is set if the keeper has received a signal that requests a stop
     * before this manager was started.
     */
    private static final String STOP_VARIABLE = "HOLDFAST_STOP_REQUESTED";

    /** The key of the manager's printed lines, which belong to no unit. */
    public static final String PRINTED_LINES = "printed lines";

    /** The signals that the keeper handles, even if this process was started with them ignored. */
    private static final List<Signal> HEARD = List.of(Signal.INT, Signal.TERM);

    private static final String SCRIPT = "keeper.sh";
    private static final String SHELL = "/bin/sh";
    private static final int CONTROL = 8; // as in the script
    private static final int FIRST_KEPT = 20; // shells use numbers from 10 on themselves
    private static final int STORE_BYTES = 64 << 20;

    private final DescriptorStore store;
    private final Fd control;
    private boolean ownsStates;

    private Keeper(DescriptorStore store, Fd control) {
        this.store = store;
        this.control = control;
    }

    /**
     * Replaces this process by the keeper of a manager.
     *
     * @param manager the command that starts a manager, run for each manager
     * @throws ErrnoException if that fails: this process continues unchanged
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
            HEARD.forEach(SignalDispositions::takeBack); // a shell cannot trap ignored ones
            int r = SysExec.replace(SHELL, command, kept, List.of(Signal.CHLD));
            throw new ErrnoException("execve", SHELL, -r);
        } finally {
            made.forEach(Fd::close);
            kept.forEach(Fd::close);
        }
    }

    /** Returns a duplicate with a number that the script does not use itself. */
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
     * Returns the keeper that started this process, if there is one. Call it once, before any
     * process is started. SIGCHLD, which the keeper blocks for itself, is blocked in this process
     * too.
     *
     * @throws ErrnoException EBADF if its variable names a descriptor that was not inherited
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
        keeper.send("here");
        return Optional.of(keeper);
    }

    /**
     * Makes the keeper that has this store.
     *
     * @param store closed with the keeper
     * @param control the pipe for commands to the keeper; closed with it
     */
    public static Keeper of(DescriptorStore store, Fd control) {
        return new Keeper(store, control);
    }

    /** Returns the store of the managers of this keeper. */
    public DescriptorStore store() {
        return store;
    }

    /**
     * Reports that state exists from now on: if this process dies, the keeper starts the next
     * manager.
     */
    public void ready() {
        send("ready");
    }

    /**
     * Pauses before a manager adopts anything. If a stop is requested meanwhile, the keeper ends
     * this process, and starts the next manager, which does not pause.
     */
    public void pause(Duration length) {
        if (length.isPositive() && System.getenv(STOP_VARIABLE) == null) {
            send("pauses");
            LockSupport.parkNanos(length.toNanos());
            send("here");
        }
    }

    /** Lets the keeper reap the zombies reparented to it, because their exit statuses are known. */
    public void reap() {
        send("reap");
    }

    /**
     * Marks the states in the runtime folder as those of this keeper's managers, which hold its
     * lock.
     */
    void ownsStates() {
        ownsStates = true;
    }

    /**
     * Reports that this process ends on its own, and the keeper with it: nothing is left to adopt.
     *
     * @param status the exit status of the keeper
     * @param runtime the runtime folder, in which another manager may run
     */
    public void ends(int status, Path runtime) {
        send("exit " + status);
        forget(runtime);
    }

    /**
     * Removes everything that the next manager would adopt.
     *
     * @param runtime the runtime folder, in which another manager may run
     */
    public void forget(Path runtime) {
        store.clear(); // systemd may hold it too
        if (ownsStates) {
            StateFolder.remove(runtime);
        }
    }

    /**
     * Calls back when the keeper has died; nothing outlives that.
     *
     * @return ends the watch; close it before this keeper
     */
    public Registration onDeath(EventLoop loop, Runnable died) {
        EventLoop.Watch[] watch = new EventLoop.Watch[1];
        watch[0] =
                loop.watch(
                        control,
                        0, // only the keeper has the reading end, which its death closes
                        _ -> {
                            watch[0].close();
                            died.run();
                        });
        return watch[0];
    }

    private void send(String line) {
        byte[] bytes = (line + "\n").getBytes(UTF_8); // less than PIPE_BUF: all or nothing
        int _ = Unistd.write(control, bytes, 0, bytes.length);
    }

    /** Closes its descriptors in this process. */
    @Override
    public void close() {
        store.close();
        control.close();
    }
}
