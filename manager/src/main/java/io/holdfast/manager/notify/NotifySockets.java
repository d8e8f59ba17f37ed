package io.holdfast.manager.notify;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.wait.FdCloser;
import io.holdfast.manager.log.Complaints;
import io.holdfast.manager.loop.ManagerCounters;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.UnitName;
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The notify sockets (sd_notify(3)): one for each run of a service that may send messages.
 *
 * <p>A datagram socket cannot refuse a single sender: whoever can send can fill its queue, and can
 * send descriptors whose close blocks until the socket accepts none from anybody. So a stranger
 * must not be able to send. Permissions cannot ensure that, since a service that root started may
 * send as any user. Instead, the file of each socket has a name that cannot be guessed, in a folder
 * that nobody else can list; the processes of the service find it in {@code $NOTIFY_SOCKET}. A
 * process that passes its environment on harms its own service alone.
 *
 * <p>The name alone authorizes nobody: {@link NotifyRouter} identifies the sender of each message.
 * Used on the event loop.
 */
public final class NotifySockets implements AutoCloseable {
    /** The length of a path in the runtime folder, with the first slash. */
    public static final int PATH_LENGTH = 36;

    private static final String FOLDER = "notify-sockets";
    private static final int RANDOM_BYTES = 10;
    private static final int MAX_DESCRIPTORS = 253;
    private static final int UNLISTED = 0711;
    private static final int FOR_US = 0600;
    private static final int FOR_ALL = 0777; // for all who know the name
    private static final String UNNAMED = "new";

    /** Receives the datagrams, on the loop. */
    public interface Receiver {
        /**
         * Takes one datagram. The receiver, which knows the sender's unit, reports what is wrong
         * with it.
         *
         * @param socket the unit whose socket it came by
         * @param sender lent for the call
         * @param datagram not parsed yet; one byte longer than {@link NotifyMessage#MAX_SIZE} if it
         *     is too long
         * @param descriptors lent for the call; closed afterwards
         */
        void datagram(UnitName socket, NotifySender sender, byte[] datagram, List<Fd> descriptors);
    }

    final EventLoop loop;
    final FdCloser<String> closer;
    final Receiver receiver;
    final Survival survival;
    final ManagerCounters counters;
    final Throttle complaints;
    final Ancillary beside = Ancillary.ofDescriptors(MAX_DESCRIPTORS);
    final ByteBuffer data = ByteBuffer.allocateDirect(NotifyMessage.MAX_SIZE + 1);

    private final TrustedFolder folder;
    private final SecureRandom random = new SecureRandom();
    private final Set<String> open = new HashSet<>(); // names of files

    /**
     * Makes the folder of the sockets.
     *
     * @param runtime the runtime folder of the manager
     * @param closer closes the descriptors that come with messages
     * @param survival keeps the sockets, with the messages that wait in them
     */
    public NotifySockets(
            TrustedFolder runtime,
            EventLoop loop,
            FdCloser<String> closer,
            Receiver receiver,
            Survival survival,
            ManagerCounters counters,
            Consumer<String> complaints) {
        this.loop = loop;
        this.closer = closer;
        this.receiver = receiver;
        this.survival = survival;
        this.counters = counters;
        this.complaints = Complaints.on(loop, complaints);
        this.folder = runtime.child(FOLDER, UNLISTED);
    }

    /**
     * Opens a socket for a run of a unit.
     *
     * @throws ErrnoException if it cannot be made
     */
    public NotifySocket open(UnitName unit) {
        byte[] bytes = new byte[RANDOM_BYTES];
        random.nextBytes(bytes);
        return bind(unit, HexFormat.of().formatHex(bytes));
    }

    /**
     * Opens the socket of a run that an earlier manager began, with the messages that wait in it;
     * if it was not kept, a new one of the same path.
     *
     * @throws ErrnoException if it cannot be made
     */
    public NotifySocket restore(UnitName unit, Path path) {
        String name = path.getFileName().toString();
        List<Fd> kept = survival.take(key(unit));
        return kept.size() == 1
                ? opened(unit, name, UnixSocket.adopt(kept.getFirst()))
                : bind(unit, name);
    }

    /**
     * Binds the socket by another name, which only this user can connect to: /proc/net/unix shows
     * the name of the bind to everybody.
     */
    private NotifySocket bind(UnitName unit, String name) {
        Path bound = folder.path().resolve(UNNAMED);
        UnixSocket socket = UnixSocket.bind(new UnixAddress.PathName(bound.toString()), FOR_US);
        try {
            check(SysStat.renameat(folder.fd(), UNNAMED, name), "rename");
            check(SysStat.fchmodat(folder.fd(), name, FOR_ALL), "chmod");
        } catch (ErrnoException e) {
            socket.close();
            remove(UNNAMED);
            remove(name);
            throw e;
        }
        return opened(unit, name, socket);
    }

    private void check(int result, String call) {
        ErrnoException.check(result, call, "a notify socket in " + folder);
    }

    private NotifySocket opened(UnitName unit, String name, UnixSocket socket) {
        socket.passIdentity();
        survival.keep(key(unit), List.of(socket.fd()));
        boolean _ = open.add(name);
        return new NotifySocket(this, unit, folder.path().resolve(name), socket);
    }

    private static String key(UnitName unit) {
        return "notify " + unit;
    }

    /** Forgets a socket that is closed. */
    void closed(NotifySocket socket) {
        String name = socket.path().getFileName().toString();
        survival.drop(key(socket.unit()));
        boolean _ = open.remove(name);
        remove(name);
    }

    private void remove(String name) {
        int r = SysStat.unlinkat(folder.fd(), name);
        if (r < 0 && r != -Errno.ENOENT) {
            complaints.log(
                    "not removed",
                    "unlink notify socket in %s: %s".formatted(folder, Errno.name(-r)));
        }
    }

    /** Removes the files of an earlier manager that were not restored. */
    public void forgetRest() {
        String[] names = folder.path().toFile().list();
        if (names != null) {
            for (String name : names) {
                if (!open.contains(name)) {
                    remove(name);
                }
            }
        }
    }

    /** Removes the folder; all sockets are closed. */
    @Override
    public void close() {
        beside.close();
        File path = folder.path().toFile();
        folder.close();
        boolean ignored = path.delete();
    }
}
