package io.holdfast.receiver;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.Readiness;
import io.holdfast.core.limit.Limit;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.Sender;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysMman;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysMemfd;
import io.holdfast.journal.Field;
import io.holdfast.receiver.input.NativeMessage;
import io.holdfast.receiver.input.SyslogMessage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A socket of datagrams: {@code /dev/log} or the native protocol. The kernel names the sender of
 * each datagram by a pidfd. Used on the loop.
 *
 * <p>A native message may be in a file instead, whose descriptor it brings. Only a file in memory
 * is read: any other could make its reader wait for as long as its owner likes.
 *
 * <p>The buffer has room for the longest message: those of ordinary users end at {@code
 * net.core.wmem_max}, those of root do not. It is a file in memory, which grows with what is
 * written there, so only long messages take memory for it, and only until they are taken.
 */
final class DatagramSource implements Intake.Source, AutoCloseable {
    /** What its datagrams are. */
    enum Kind {
        SYSLOG,
        NATIVE
    }

    private static final int BATCH = 128; // datagrams of one turn
    private static final long TURN = 5_000_000; // nanoseconds, if they take long
    private static final int CHUNK = 1 << 16;
    private static final int USUAL = 1 << 16; // bytes of a datagram, whose memory is kept
    private static final Field SYSLOG = Field.of("_TRANSPORT", "syslog");
    private static final Field JOURNAL = Field.of("_TRANSPORT", "journal");

    private final UnixSocket socket;
    private final Kind kind;
    private final Path daemon;
    private final UnixAddress daemonAddress;
    private final Intake intake;
    private final Attribution attribution;
    private final Throttle warnings;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final ByteBuffer buffer;
    private final Ancillary beside;
    private final EventLoop.Watch watch;

    /**
     * @param daemon the socket of a syslog daemon, which receives the messages of syslog(3), too,
     *     if it listens
     */
    @SuppressWarnings("MustBeClosedChecker") // closed by close()
    DatagramSource(
            EventLoop loop,
            UnixSocket socket,
            Kind kind,
            Path daemon,
            Intake intake,
            Attribution attribution,
            Throttle warnings) {
        this.socket = socket;
        this.kind = kind;
        this.daemon = daemon;
        this.daemonAddress = UnixAddress.path(daemon);
        this.intake = intake;
        this.attribution = attribution;
        this.warnings = warnings;
        try (Fd file = SysMemfd.make("holdfast-datagram")) {
            Limit longest = kind == Kind.NATIVE ? ReceiverLimits.MESSAGE : ReceiverLimits.DATAGRAM;
            SysMemfd.resize(file, longest.intValue());
            memory = SysMman.map(file, longest.intValue(), arena);
        }
        buffer = memory.asByteBuffer();
        socket.passIdentity();
        if (kind == Kind.SYSLOG && Feature.PASS_RIGHTS.isPresent()) {
            socket.refuseDescriptors();
        }
        beside = Ancillary.ofDescriptors(kind == Kind.NATIVE ? 1 : 0);
        watch = loop.watch(socket.fd(), 0, _ -> intake.turn(this::receive));
    }

    @Override
    public void listen(boolean whether) {
        watch.events(whether ? Readiness.IN : 0);
    }

    private void receive() {
        long begin = System.nanoTime();
        for (int i = 0; i < BATCH && !intake.isWaiting() && System.nanoTime() - begin < TURN; i++) {
            buffer.clear();
            try {
                if (socket.tryReceive(buffer, beside) == UnixSocket.WOULD_BLOCK) {
                    return;
                }
            } catch (ErrnoException e) {
                warnings.log("lost", "a message is lost: " + e.getMessage());
                return;
            }
            take();
            if (buffer.position() > USUAL) {
                int _ = SysMman.remove(memory); // a failure costs memory only
            }
        }
    }

    private void take() {
        Optional<Sender> sender = beside.takeSender();
        List<Fd> files = beside.takeDescriptors();
        try {
            if (sender.isPresent()) {
                if (kind == Kind.SYSLOG) {
                    forward(sender.get());
                }
                take(attribution.of(sender.get()), files);
            }
        } finally {
            sender.ifPresent(Sender::close);
            files.forEach(Fd::close);
        }
    }

    /** Passes a message on, as far as this process may state it, in the name of its sender. */
    private void forward(Sender sender) {
        if (!Files.exists(daemon)) {
            return; // the usual case, which costs no exception
        }
        ByteBuffer message = buffer.duplicate().flip();
        try {
            if (socket.tryForwardTo(daemonAddress, sender, message) == UnixSocket.WOULD_BLOCK) {
                warnings.log("daemon", "a message is lost for the syslog daemon: it is too slow");
            }
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ECONNREFUSED && e.errno() != Errno.ENOENT) {
                warnings.log(
                        "daemon", "a message is lost for the syslog daemon: " + e.getMessage());
            }
        }
    }

    private void take(Attribution.Known sender, List<Fd> files) {
        if (intake.drops(sender)) {
            return;
        }
        byte[] data = new byte[buffer.position()];
        buffer.get(0, data);
        if (kind == Kind.SYSLOG) {
            intake.take(
                    SYSLOG,
                    sender,
                    Optional.empty(),
                    Optional.empty(),
                    data.length,
                    SyslogMessage.parse(data).fields());
            return;
        }
        if (data.length == 0 && files.size() == 1) {
            try {
                data = content(files.getFirst());
            } catch (ErrnoException e) {
                intake.refuse(sender, 0);
                warnings.log(
                        sender.uid(),
                        "a message of user " + sender.uid() + " is refused: " + e.getMessage());
                return;
            }
        }
        NativeMessage message =
                NativeMessage.parse(
                        data, ReceiverLimits.FIELDS.intValue(), ReceiverLimits.ENTRIES.intValue());
        if (message.entries().isEmpty()) {
            intake.refuse(sender, data.length);
        }
        long bytes = data.length; // the whole message was read for its first entry
        for (List<Field> entry : message.entries()) {
            intake.take(JOURNAL, sender, Optional.empty(), Optional.empty(), bytes, entry);
            bytes = 0;
        }
    }

    private static byte[] content(Fd file) {
        if (Fcntl.seals(file) < 0) {
            throw new ErrnoException(
                    "fcntl(F_GET_SEALS)", "its file", Errno.EINVAL, "not in memory");
        }
        long size = SysStat.stat(file).size();
        if (size > ReceiverLimits.MESSAGE.intValue()) {
            throw new ErrnoException(
                    "read", "its file", Errno.EFBIG, ReceiverLimits.MESSAGE.remedy());
        }
        byte[] all = new byte[(int) size];
        for (int at = 0; at < all.length; ) {
            int most = Math.min(CHUNK, all.length - at);
            int read = ErrnoException.check(Unistd.pread(file, all, at, most, at), "pread", file);
            if (read == 0) {
                return java.util.Arrays.copyOf(all, at); // it was truncated meanwhile
            }
            at += read;
        }
        return all;
    }

    @Override
    public void close() {
        boolean _ = watch.cancel();
        beside.close();
        socket.close();
        arena.close();
    }
}
