package io.holdfast.receiver;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.limit.Limit;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.receiver.store.Store;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A receiver of log messages, as journald is one.
 *
 * <pre>
 *   socket, dev-log   DatagramSource ┐
 *                                    ├─▶ Intake ─▶ Store ─▶ system.journal, user-UID.journal
 *   stdout            StreamSource   │   (rate limit,
 *                       Attribution    │    trusted fields)
 *   /dev/kmsg, audit  KernelSource   ┘
 * </pre>
 *
 * <p>All sockets belong to the thread that runs {@link #run}; the files to a thread of the store.
 * The other methods may be called by any thread.
 */
public final class Receiver implements AutoCloseable {
    private static final int MODE = 0666;
    private static final int BACKLOG = 4096;
    private static final Duration LONGEST_SYNC = Duration.ofSeconds(30);
    private static final int WARNINGS = 3; // of one kind, or about one user, in an interval
    private static final Duration WARNING_INTERVAL = Duration.ofSeconds(30);

    private final EventLoop loop = EventLoop.open();
    private final Store store;
    private final Intake intake;
    private final @Nullable DatagramSource syslog;
    private final DatagramSource messages;
    private final @Nullable ServiceStore keeper;
    private final StreamListener streams;
    private final Path storage;
    private final Consumer<String> warnings;
    private final List<Runnable> closedToo = new ArrayList<>();

    private Receiver(ReceiverOptions options) throws IOException {
        storage = options.storage();
        warnings = options.warnings();
        PassedSockets passed = PassedSockets.of(options.passed(), options.warnings());
        Throttle complaints =
                Throttle.of(
                                WARNINGS,
                                WARNING_INTERVAL,
                                ReceiverLimits.SENDERS.intValue(),
                                options.warnings())
                        .withTimer((delay, flush) -> {
                            EventLoop.Timer _ = loop.after(delay, flush);
                        });
        store = Store.open(options.place(), options.warnings());
        try {
            Path folder = options.sockets();
            Path daemon = folder.resolve("syslog");
            Path units = folder.resolveSibling("units");
            intake = new Intake(loop, store, new SettingsOfUnits(units), options.limits().rate());
            Attribution attribution =
                    new Attribution(new UnitsOfProcesses(units.resolve("processes")));
            messages =
                    new DatagramSource(
                            loop,
                            passed.socket != null ? passed.socket : bind(folder, "socket"),
                            DatagramSource.Kind.NATIVE,
                            daemon,
                            intake,
                            attribution,
                            complaints);
            syslog =
                    passed.devLog == null && !options.passed().isEmpty()
                            ? null // the service manager wants none
                            : new DatagramSource(
                                    loop,
                                    passed.devLog != null ? passed.devLog : bind(folder, "dev-log"),
                                    DatagramSource.Kind.SYSLOG,
                                    daemon,
                                    intake,
                                    attribution,
                                    complaints);
            keeper = ServiceStore.of(loop, System.getenv(), options.warnings(), this::acceptAgain);
            streams =
                    new StreamListener(
                            loop,
                            passed.stdout != null ? passed.stdout : listen(folder),
                            windows(passed, keeper),
                            keeper,
                            intake,
                            attribution,
                            complaints);
        } catch (IOException | RuntimeException e) {
            store.close();
            loop.close();
            throw e;
        }
        streams.recover(passed.streams, options.storage());
        intake.begin();
        intake.add(messages);
        if (syslog != null) {
            intake.add(syslog);
        }
        intake.add(streams);
    }

    private static StreamWindows windows(PassedSockets passed, @Nullable ServiceStore keeper) {
        int count = ReceiverLimits.STREAMS.intValue();
        StreamWindows windows =
                passed.windows != null
                        ? StreamWindows.takeOver(passed.windows, count)
                        : StreamWindows.make(count);
        if (keeper != null) { // the manager ignores a file that it has
            keeper.keep(PassedSockets.WINDOWS, windows.file());
        }
        return windows;
    }

    private void acceptAgain() {
        streams.watch();
    }

    private static UnixListener listen(Path folder) throws IOException {
        Path path = Files.createDirectories(folder).resolve("stdout");
        return UnixListener.listen(address(path), SocketType.STREAM, BACKLOG, MODE);
    }

    private static UnixSocket bind(Path folder, String name) throws IOException {
        Path path = Files.createDirectories(folder).resolve(name);
        Files.deleteIfExists(path); // of a receiver that was killed: the storage is locked
        return UnixSocket.bind(address(path), MODE);
    }

    private static UnixAddress.PathName address(Path path) {
        return new UnixAddress.PathName(path.toString());
    }

    /**
     * Opens a receiver that does not run yet.
     *
     * @throws IOException if the storage cannot be written, or another receiver uses it
     * @throws ErrnoException if a socket cannot be bound
     */
    public static Receiver open(ReceiverOptions options) throws IOException {
        return new Receiver(options);
    }

    /**
     * Receives the messages of the kernel and of its audit, too. Called before {@link #run}.
     *
     * @param log {@code /dev/kmsg}
     * @return one line for each of the two that this process may not receive, as in a container
     * @throws IOException if the files cannot be read
     */
    public List<String> receiveKernel(Path log) throws IOException {
        List<String> refused = new ArrayList<>();
        long last = KernelSource.lastIn(storage);
        try {
            KernelSource kernel =
                    new KernelSource(loop, KernelSource.open(log), last, intake, warnings);
            closedToo.add(kernel::close);
            intake.add(kernel);
        } catch (ErrnoException e) {
            refused.add("messages of the kernel are not received: " + e.getMessage());
        }
        try {
            AuditSource audit = new AuditSource(loop, AuditSource.open(), intake, warnings);
            closedToo.add(audit::close);
            intake.add(audit);
        } catch (ErrnoException e) {
            refused.add("messages of the audit are not received: " + e.getMessage());
        }
        return refused;
    }

    public static List<Limit> limits() {
        return ReceiverLimits.all();
    }

    /** Receives until {@link #stop}. */
    public void run() {
        loop.run();
    }

    /** Ends {@link #run}. */
    public void stop() {
        loop.stop();
    }

    /** {@return its event loop, to watch other events on it} */
    public EventLoop loop() {
        return loop;
    }

    /** Waits until all messages that were taken so far are in the files. */
    public void flush() throws InterruptedException {
        store.flush();
    }

    /**
     * Waits until all messages that were sent before this call are in the files. Called by another
     * thread than that of {@link #run}.
     */
    public void synchronize() throws InterruptedException {
        CountDownLatch quiet = new CountDownLatch(1);
        loop.post(() -> intake.whenQuiet(quiet::countDown));
        boolean _ = quiet.await(LONGEST_SYNC.toMillis(), TimeUnit.MILLISECONDS);
        store.flush();
    }

    /** Begins new files, once what was taken so far is in the old ones. */
    public void rotate() throws InterruptedException {
        store.rotate();
    }

    /** Closes the sockets, and stores what was taken. Called when {@link #run} has ended. */
    @Override
    public void close() {
        messages.close();
        if (syslog != null) {
            syslog.close();
        }
        streams.close();
        closedToo.forEach(Runnable::run);
        if (keeper != null) {
            keeper.close();
        }
        store.close();
        loop.close();
    }
}
