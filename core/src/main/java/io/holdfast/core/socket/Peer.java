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
 * and label that the kernel recorded when it connected (the peer credentials). Neither replaces the
 * other.
 *
 * <ul>
 *   <li>The pidfd identifies the process, for everything that depends on the process: its unit, its
 *       session, whether it is alive, signals to it.
 *   <li>{@link #uid}, {@link #gid} and {@link #groups} identify the user on whose behalf it asks.
 *       They never change. The ids of the process can change: it executes a set-user-ID program, or
 *       calls setresuid(2). A server that reads the ids from the pidfd at the time of its decision
 *       ({@link PidFd#info}) mistakes a user who has connected and then executed su(1) for root
 *       (CVE-2011-1485, CVE-2013-4288).
 * </ul>
 *
 * <p>Code that passes a peer on must pass both: to polkit as {@code pidfd} and {@code uid}, to
 * {@code io.holdfast.Authority.Check} as {@code subject} and {@code uid}. Ids that a peer has given
 * up count, too: a process that connects as root and then becomes a user still asks as root on this
 * connection.
 *
 * <p>Only {@link Held} identifies a process. {@link BestEffort} and {@link Gone} describe the
 * process at the time of the connection, for people and for decisions about users; a decision about
 * the process must refuse them.
 */
public sealed interface Peer extends AutoCloseable {
    /** {@return its effective user when it connected} */
    long uid();

    /** {@return its effective group when it connected} */
    long gid();

    /** {@return its supplementary groups when it connected, without {@link #gid}} */
    List<Long> groups();

    /** {@return its security label (SO_PEERSEC), if a security module provides one} */
    Optional<String> label();

    /** {@return its PID when it connected, for people; 0 if it is not in our PID namespace} */
    int pid();

    /** {@return the process, if it is held} */
    default Optional<PidFd> pidFd() {
        return Optional.empty();
    }

    @Override
    default void close() {}

    /**
     * The process itself, held since it connected (SO_PEERPIDFD, Linux 6.5). It may have exited
     * since: from Linux 6.16 on even a reaped process is held, and its exit status is available.
     * Closing this closes the pidfd.
     *
     * @param process the process that connected
     * @param pid its PID when it connected, for people
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
     * A peer on a kernel without SO_PEERPIDFD: its peer credentials are known, but not which
     * process it is. Another process may have its PID by now.
     *
     * @param pid its PID when it connected, for people
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
     * A peer that was reaped before it could be held (Linux 6.5 to 6.15).
     *
     * @param pid its PID when it connected, for people
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
     * Reads the peer of a connected socket.
     *
     * @param socket the socket; it stays the caller's
     * @return the peer, owned by the caller; empty if the socket has no peer
     */
    static Optional<Peer> of(Fd socket) {
        Optional<Peer> peer = read(socket);
        if (Recorder.isOn() && peer.isPresent()) {
            Peer found = peer.get();
            Recorder.peer(found.toString(), found.uid(), found.getClass().getSimpleName());
        }
        return peer;
    }

    private static Optional<Peer> read(Fd socket) {
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
     * {@return the peer's PID, user and group, without a pidfd: for a log line when this process
     * has no free descriptor for {@link #of}} Empty if the socket has no peer. The {@link #groups}
     * and the {@link #label} of the result are empty because they are not read.
     *
     * @param socket the socket; it stays the caller's
     */
    static Optional<Peer> withoutPidFd(Fd socket) {
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

    /** Reads the label; the kernel may or may not include a trailing NUL. */
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
