package io.holdfast.receiver;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The descriptor store of the service manager that has started this process (sd_notify(3), {@code
 * FDSTORE=1}). A descriptor that has been sent survives a SIGKILL of this process at once: it is in
 * flight until the manager has received it.
 *
 * <p>Messages are sent in the order of the calls. When the manager's queue is full, they wait here;
 * {@link #isWaiting} then says so, and the caller is to accept no more streams. While nobody
 * listens, as when the manager was killed, they wait, too, and are sent again and again; streams
 * are accepted meanwhile, because that manager may never return. At most two messages wait for each
 * stream. Used on the loop.
 */
final class ServiceStore implements AutoCloseable {
    private static final Duration RETRY = Duration.ofMillis(200);
    private static final String KEEP = "FDSTORE=1\nFDPOLL=0\nFDNAME=";
    private static final String DROP = "FDSTOREREMOVE=1\nFDNAME=";

    private record Message(String text, List<Fd> descriptors) {}

    private final EventLoop loop;
    private final UnixAddress address;
    private final int most;
    private final Consumer<String> warnings;
    private final Runnable whenSent;
    private final Deque<Message> waiting = new ArrayDeque<>();
    private @Nullable UnixSocket socket;
    private EventLoop.@Nullable Watch watch;
    private EventLoop.@Nullable Timer retry;
    private boolean isBroken; // nobody listens

    private ServiceStore(
            EventLoop loop,
            UnixAddress address,
            int most,
            Consumer<String> warnings,
            Runnable whenSent) {
        this.loop = loop;
        this.address = address;
        this.most = most;
        this.warnings = warnings;
        this.whenSent = whenSent;
    }

    /**
     * Finds the store by the variables that the manager has set.
     *
     * @param whenSent called when {@link #isWaiting} has become false
     * @return null if the manager keeps no descriptors of this service
     */
    static @Nullable ServiceStore of(
            EventLoop loop,
            Map<String, String> environment,
            Consumer<String> warnings,
            Runnable whenSent) {
        String address = environment.getOrDefault("NOTIFY_SOCKET", "");
        String most = environment.getOrDefault("FDSTORE", "");
        if (address.isEmpty() || !most.matches("[1-9][0-9]{0,8}")) {
            return null;
        }
        return new ServiceStore(
                loop, UnixAddress.parse(address), Integer.parseInt(most), warnings, whenSent);
    }

    /** {@return how many descriptors the manager keeps of this service} */
    int most() {
        return most;
    }

    /** {@return whether messages wait for room in the manager's queue} */
    boolean isWaiting() {
        return !waiting.isEmpty() && !isBroken;
    }

    /**
     * Has the manager keep a descriptor.
     *
     * @param fd lent, until it is closed or the message is sent
     */
    void keep(String name, Fd fd) {
        // a stream whose writer has exited is kept until all of it is read
        send(new Message(KEEP + name, List.of(fd)));
    }

    /** Has the manager drop a descriptor. */
    void drop(String name) {
        boolean wasSent = !waiting.removeIf(message -> message.text().equals(KEEP + name));
        if (wasSent) {
            send(new Message(DROP + name, List.of()));
        }
    }

    private void send(Message message) {
        if (!waiting.isEmpty() || retry != null || !isSent(message)) {
            waiting.add(message);
        }
    }

    private void resume() {
        retry = null;
        while (!waiting.isEmpty() && isSent(waiting.getFirst())) {
            waiting.removeFirst();
        }
        if (waiting.isEmpty()) {
            unwatch();
        }
        if (!isWaiting()) {
            whenSent.run();
        }
    }

    private void unwatch() {
        EventLoop.Watch before = watch;
        watch = null;
        if (before != null) {
            boolean _ = before.cancel();
        }
    }

    /** Sends a message; returns false if it is to be sent again later. */
    private boolean isSent(Message message) {
        try {
            UnixSocket open = socket;
            if (open == null) {
                // the queue of a connected datagram socket has an event
                open = UnixSocket.connect(address, SocketType.DATAGRAM, Duration.ZERO);
                socket = open;
            }
            ByteBuffer bytes = ByteBuffer.wrap(message.text().getBytes(UTF_8));
            List<Fd> descriptors = message.descriptors().stream().filter(Fd::isOpen).toList();
            boolean isSent = open.trySend(bytes, descriptors) != UnixSocket.WOULD_BLOCK;
            isBroken = false;
            if (!isSent && watch == null) {
                watch = loop.watch(open.fd(), Readiness.OUT, _ -> resume());
            }
            return isSent;
        } catch (ErrnoException e) {
            disconnect();
            if (!isBroken) {
                isBroken = true;
                warnings.accept(
                        "new streams do not survive a crash of this process until the manager"
                                + " listens again: "
                                + e.getMessage());
            }
            retry = loop.after(RETRY, this::resume);
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true; // the process ends
        }
    }

    private void disconnect() {
        unwatch();
        UnixSocket open = socket;
        socket = null;
        if (open != null) {
            open.close();
        }
    }

    @Override
    public void close() {
        disconnect();
    }
}
