package io.holdfast.core.socket;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.event.Recorder;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.sys.socket.Ucred;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * The identity of the process at the other end of a connection. For an accepted socket this is the
 * process that called connect(2); for a connecting socket, the one that called listen(2); for a
 * pair, the one that called socketpair(2). Passing the socket to another process does not change
 * it.
 *
 * <p><b>The rule of identity.</b> A peer is two things together: the pidfd, and the user, groups
 * and label that the kernel noted when it connected. Neither replaces the other.
 *
 * <ul>
 *   <li>The pidfd says which process it is, for what depends on the process: its unit, its session,
 *       whether it is alive, signals to it.
 *   <li>{@link #uid}, {@link #gid} and {@link #groups} say for whom it asks. They never change. A
 *       process changes its own ids: it executes a set-uid program, or calls setresuid(2). A server
 *       that reads the ids from the pidfd when it decides ({@link PidFd#info}) takes a user for
 *       root who has connected, and then executed su(1) (CVE-2011-1485, CVE-2013-4288).
 * </ul>
 *
 * <p>Whoever passes a peer on passes both: to polkit as {@code pidfd} and {@code uid}, to {@code
 * io.holdfast.Authority.Check} as {@code subject} and {@code uid}. Ids that a peer has given up
 * count too: a process that connects as root and then becomes a user still asks as root, on this
 * connection.
 *
 * <p>Only {@link Held} identifies a process. {@link BestEffort} and {@link Gone} say who it was,
 * for people and for decisions about users; a decision about the process must refuse them.
 */
public sealed interface Peer extends AutoCloseable {
    /** {@return its effective user when it connected} */
    long uid();

    /** {@return its effective group when it connected} */
    long gid();

    /** {@return its supplementary groups when it connected, without {@link #gid}} */
    List<Long> groups();

    /** {@return its security label (SO_PEERSEC), where a security module gives one} */
    Optional<String> label();

    /**
     * {@return the number that it had when it connected, for people; 0 if it is not of our PID
     * namespace}
     */
    int pid();

    /** {@return the process, if it is held} */
    default Optional<PidFd> pidFd() {
        return Optional.empty();
    }

    @Override
    default void close() {}

    /**
     * The process itself, held since it connected (SO_PEERPIDFD, Linux 6.5). It may have exited
     * since: from Linux 6.16 on even a reaped one is held, and tells how it ended. Closing this
     * closes the pidfd.
     *
     * @param process the process that connected
     * @param pid the number that it had when it connected, for people
     * @param uid its effective user when it connected
     * @param gid its effective group when it connected
     * @param groups its supplementary groups when it connected
     * @param label its security label, if there is one
     */
    record Held(
            PidFd process, int pid, long uid, long gid, List<Long> groups, Optional<String> label)
            implements Peer {
        @Override
        public Optional<PidFd> pidFd() {
            return Optional.of(process);
        }

        @Override
        public void close() {
            process.close();
        }

        @Override
        public String toString() {
            return process + " of user " + uid;
        }
    }

    /**
     * A kernel without SO_PEERPIDFD: only what the peer was is known, not which process it is. Its
     * number may be another's.
     *
     * @param pid the number that it had when it connected, for people
     * @param uid its effective user when it connected
     * @param gid its effective group when it connected
     * @param groups its supplementary groups when it connected
     * @param label its security label, if there is one
     */
    record BestEffort(int pid, long uid, long gid, List<Long> groups, Optional<String> label)
            implements Peer {
        @Override
        public String toString() {
            return "process " + pid + " (not held) of user " + uid;
        }
    }

    /**
     * The peer was reaped before it could be held (Linux 6.5 to 6.15).
     *
     * @param pid the number that it had when it connected, for people
     * @param uid its effective user when it connected
     * @param gid its effective group when it connected
     * @param groups its supplementary groups when it connected
     * @param label its security label, if there is one
     */
    record Gone(int pid, long uid, long gid, List<Long> groups, Optional<String> label)
            implements Peer {
        @Override
        public String toString() {
            return "process " + pid + " (gone) of user " + uid;
        }
    }

    /**
     * Asks a connected socket; empty if it has no peer.
     *
     * @param socket the socket; it stays the caller's
     * @return the peer, owned by the caller
     */
    static Optional<Peer> of(Fd socket) {
        Optional<Peer> peer = ask(socket);
        if (Recorder.isOn() && peer.isPresent()) {
            Peer found = peer.get();
            Recorder.peer(found.toString(), found.uid(), found.getClass().getSimpleName());
        }
        return peer;
    }

    private static Optional<Peer> ask(Fd socket) {
        Ucred ucred = SysSocket.peercred(socket);
        if (ucred == null) {
            return Optional.empty();
        }
        List<Long> groups = groupsOf(socket);
        Optional<String> label = labelOf(socket);
        if (!Feature.PEER_PIDFD.isPresent()) {
            return Optional.of(
                    new BestEffort(ucred.pid(), ucred.uid(), ucred.gid(), groups, label));
        }
        int number = SysSocket.option(socket, SysSocket.SO_PEERPIDFD);
        return switch (-number) {
            case Errno.EINVAL, Errno.ESRCH ->
                    Optional.of(new Gone(ucred.pid(), ucred.uid(), ucred.gid(), groups, label));
            case Errno.ENODATA -> Optional.empty();
            default ->
                    Optional.of(
                            new Held(
                                    PidFd.ofKernel(
                                            Fd.adopt(number, "getsockopt(SO_PEERPIDFD)", socket)),
                                    ucred.pid(),
                                    ucred.uid(),
                                    ucred.gid(),
                                    groups,
                                    label));
        };
    }

    /**
     * {@return the peer's PID, user and group, without a pidfd: for a line in a log when this
     * process has no descriptor left for {@link #of}} Empty if it has no peer. The {@link #groups}
     * and the {@link #label} of the result are empty because they are not read.
     *
     * @param socket the socket; it stays the caller's
     */
    static Optional<Peer> unheld(Fd socket) {
        Ucred ucred = SysSocket.peercred(socket);
        return ucred == null
                ? Optional.empty()
                : Optional.of(
                        new BestEffort(
                                ucred.pid(),
                                ucred.uid(),
                                ucred.gid(),
                                List.of(),
                                Optional.empty()));
    }

    private static List<Long> groupsOf(Fd socket) {
        byte[] bytes = SysSocket.optionBytes(socket, SysSocket.SO_PEERGROUPS);
        if (bytes == null || bytes.length == 0) {
            return List.of();
        }
        ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        List<Long> groups = new ArrayList<>(bytes.length / Integer.BYTES);
        while (words.hasRemaining()) {
            groups.add(Integer.toUnsignedLong(words.getInt()));
        }
        return Collections.unmodifiableList(groups);
    }

    /** The kernel may or may not count a NUL at the end. */
    private static Optional<String> labelOf(Fd socket) {
        byte[] bytes = SysSocket.optionBytes(socket, SysSocket.SO_PEERSEC);
        if (bytes == null) {
            return Optional.empty();
        }
        int length = bytes.length;
        while (length > 0 && bytes[length - 1] == 0) {
            length--;
        }
        return length == 0
                ? Optional.empty()
                : Optional.of(new String(bytes, 0, length, StandardCharsets.UTF_8));
    }
}
