package io.holdfast.receiver;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.ListenFds;
import io.holdfast.core.socket.Notify;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.testkit.ChildJvm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A receiver in its own JVM, with what a service manager does for it: its sockets, its descriptor
 * store, and a new process after the last one was killed.
 */
final class ReceiverProcess implements AutoCloseable {
    private static final int BACKLOG = 4096;

    private record Stored(String name, Fd fd) {}

    private final Path folder;
    private final List<String> options;
    private final UnixSocket notify;
    private final UnixListener stdout;
    private final UnixSocket messages;
    private final UnixSocket devLog;
    private final List<Stored> stored = new ArrayList<>();
    private @Nullable Child child;
    private boolean isReady;
    private final AtomicInteger keptStreams = new AtomicInteger();

    ReceiverProcess(Path folder, List<String> options) throws IOException {
        this.folder = folder;
        this.options = options;
        Path run = Files.createDirectories(folder.resolve("run"));
        notify = UnixSocket.bind(UnixAddress.path(folder.resolve("notify")));
        stdout = UnixListener.listen(at("stdout"), SocketType.STREAM, BACKLOG, 0666);
        int passes = SysSocket.setOption(stdout.fd(), SysSocket.SO_PASSCRED, 1);
        ErrnoException.check(passes, "setsockopt", "stdout"); // PassCredentials=yes
        messages = UnixSocket.bind(path(run.resolve("socket")), 0666);
        devLog = UnixSocket.bind(path(run.resolve("dev-log")), 0666);
    }

    private static UnixAddress.PathName path(Path path) {
        return new UnixAddress.PathName(path.toString());
    }

    UnixAddress at(String name) {
        return UnixAddress.path(folder.resolve("run").resolve(name));
    }

    Path journal() {
        return folder.resolve("log");
    }

    /** The main method of the process. */
    static final class Main {
        private Main() {}

        public static void main(String[] arguments) throws IOException {
            Path folder = Path.of(arguments[0]);
            ReceiverOptions options =
                    new ReceiverOptions(
                                    folder.resolve("run"),
                                    folder.resolve("log"),
                                    true,
                                    System.err::println)
                            .withPassed(ListenFds.take());
            try (Receiver receiver = Receiver.open(options);
                    var _ = receiver.loop().onSignal(Signal.TERM, receiver::stop)) {
                boolean _ = Notify.send("READY=1");
                receiver.run();
            }
        }
    }

    /** Starts the process, and waits until it is ready. */
    void start() throws InterruptedException {
        Spawn spawn =
                Spawn.of(ChildJvm.command(options, Main.class, folder.toString()))
                        .environment("NOTIFY_SOCKET", folder.resolve("notify").toString())
                        .environment("FDSTORE", "8192")
                        .environmentOfPid("LISTEN_PID")
                        .stdin(Stdio.devNull());
        List<Stored> passed = new ArrayList<>();
        passed.add(new Stored("stdout", stdout.fd()));
        passed.add(new Stored("datagrams", messages.fd()));
        passed.add(new Stored("datagrams", devLog.fd()));
        passed.addAll(stored);
        spawn.environment("LISTEN_FDS", Integer.toString(passed.size()));
        spawn.environment(
                "LISTEN_FDNAMES", String.join(":", passed.stream().map(Stored::name).toList()));
        for (int i = 0; i < passed.size(); i++) {
            spawn.descriptor(ListenFds.START + i, passed.get(i).fd());
        }
        child = spawn.start();
        isReady = false;
        while (!isReady) {
            step(true);
        }
    }

    /** Handles the messages that have arrived. */
    void serve() throws InterruptedException {
        step(false);
    }

    private void step(boolean wait) throws InterruptedException {
        try (Ancillary beside = Ancillary.ofDescriptors(8)) {
            ByteBuffer into = ByteBuffer.allocate(4096);
            int n = wait ? notify.receive(into, beside) : notify.tryReceive(into, beside);
            while (n != UnixSocket.WOULD_BLOCK) {
                take(
                        new String(into.array(), 0, into.position(), StandardCharsets.UTF_8),
                        beside.takeDescriptors());
                into.clear();
                n = notify.tryReceive(into, beside);
            }
        }
    }

    private void take(String message, List<Fd> descriptors) {
        List<String> lines = message.lines().toList();
        String name = "";
        for (String line : lines) {
            if (line.startsWith("FDNAME=")) {
                name = line.substring("FDNAME=".length());
            }
        }
        isReady |= lines.contains("READY=1");
        if (lines.contains("FDSTORE=1")) {
            for (Fd fd : descriptors) {
                if (name.equals("windows") && !stored.isEmpty()) {
                    fd.close(); // as a manager does with an open file that it has
                    continue;
                }
                stored.add(new Stored(name, fd));
                if (name.startsWith("stream-")) {
                    keptStreams.incrementAndGet();
                }
            }
        } else {
            descriptors.forEach(Fd::close);
        }
        if (lines.contains("FDSTOREREMOVE=1")) {
            String gone = name;
            stored.stream()
                    .filter(each -> each.name().equals(gone))
                    .forEach(each -> {
                        each.fd().close();
                    });
            stored.removeIf(each -> each.name().equals(gone));
        }
    }

    /** {@return how many streams were stored so far} May be called by any thread. */
    int keptStreams() {
        return keptStreams.get();
    }

    /** {@return how many descriptors are stored} */
    int stored() {
        return stored.size();
    }

    void kill() throws InterruptedException {
        end(Signal.KILL);
    }

    void terminate() throws InterruptedException {
        end(Signal.TERM);
    }

    private void end(Signal signal) throws InterruptedException {
        Child running = child;
        if (running != null) {
            child = null;
            try (running) {
                boolean _ = running.signal(signal);
                while (running.exit().isEmpty()) {
                    step(false); // it may wait for room
                    var _ = running.await(Duration.ofMillis(5));
                }
            }
            step(false);
        }
    }

    @Override
    public void close() {
        try {
            kill();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        stored.forEach(each -> each.fd().close());
        stdout.close();
        messages.close();
        devLog.close();
        notify.close();
    }
}
