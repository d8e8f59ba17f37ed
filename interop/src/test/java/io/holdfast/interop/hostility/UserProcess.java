package io.holdfast.interop.hostility;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.interop.stack.RunningProgram;
import io.holdfast.interop.stack.StackStage;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A process of a plain user on the stage. It opens connections and passes them to the test, which
 * reads and writes them: for the daemons, this process and its user are the peer. One thread at a
 * time may give it orders.
 */
final class UserProcess implements AutoCloseable {
    private static final int LONGEST_ANSWER = 64;

    private final UnixSocket orders;
    private final RunningProgram running;

    private UserProcess(UnixSocket orders, RunningProgram running) {
        this.orders = orders;
        this.running = running;
    }

    /** Starts a process of a user, which need not be in any database. */
    static UserProcess start(StackStage stage, int uid) {
        UnixSocket[] pair = UnixSocket.pair(SocketType.SEQPACKET);
        try (UnixSocket theirs = pair[1]) {
            List<String> command =
                    List.of(
                            "setpriv",
                            "--reuid=" + uid,
                            "--regid=" + uid,
                            "--clear-groups",
                            "--reset-env",
                            "/usr/bin/python3",
                            "-I",
                            "-c",
                            script());
            return new UserProcess(
                    pair[0], stage.start(command, Stdio.descriptor(theirs.fd()), Map.of()));
        } catch (RuntimeException e) {
            pair[0].close();
            throw e;
        }
    }

    private static String script() {
        try (InputStream in = UserProcess.class.getResourceAsStream("user.py")) {
            return new String(Objects.requireNonNull(in).readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the process; lent. */
    PidFd process() {
        return running.process();
    }

    /**
     * Connects a stream.
     *
     * @param path the path of a socket on the stage
     * @return owned by the caller
     * @throws ErrnoException the error of connect(2) in the process
     */
    UnixSocket connect(String path) throws InterruptedException {
        return UnixSocket.adopt(opened("connect", path));
    }

    /** Connects a datagram socket: as {@link #connect}. */
    UnixSocket datagram(String path) throws InterruptedException {
        return UnixSocket.adopt(opened("datagram", path));
    }

    private Fd opened(String order, String path) throws InterruptedException {
        send((order + " " + path).getBytes(UTF_8));
        try (Ancillary beside = Ancillary.ofDescriptors(1)) {
            requireOk(answer(beside), order, path);
            return beside.takeDescriptors().getFirst();
        }
    }

    /**
     * Connects, sends and disconnects, repeatedly, as fast as the process can.
     *
     * @param says the bytes to send each time, without waiting for room
     * @return how often it did
     */
    int churn(String path, Duration time, byte[] says) throws InterruptedException {
        send("churn %s %d".formatted(path, time.toSeconds()).getBytes(UTF_8));
        send(says);
        try (Ancillary beside = Ancillary.ofDescriptors(1)) {
            return Integer.parseInt(requireOk(answer(beside), "churn", path));
        }
    }

    private void send(byte[] packet) throws InterruptedException {
        int ignored = orders.send(ByteBuffer.wrap(packet));
    }

    private String answer(Ancillary beside) throws InterruptedException {
        ByteBuffer packet = ByteBuffer.allocate(LONGEST_ANSWER);
        if (orders.receive(packet, beside) == UnixSocket.END) {
            throw new IllegalStateException("the user's process has ended: " + running.written());
        }
        return new String(packet.array(), 0, packet.position(), US_ASCII);
    }

    private static String requireOk(String answer, String order, String path) {
        if (!answer.startsWith("ok")) {
            throw new ErrnoException(order, path, Integer.parseInt(answer));
        }
        return answer.substring(2).strip();
    }

    /** Kills the process; the connections that it has passed to the test stay open. */
    @Override
    public void close() {
        orders.close();
        running.close();
    }
}
