package io.holdfast.cli.process;

import static io.holdfast.cli.process.ProcessIdentity.readIfPermitted;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.sys.socket.SysSockDiag;
import io.holdfast.core.sys.socket.SysSockDiag.UnixConnection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * The client connections of processes by AF_UNIX sockets. The kernel reports which sockets are
 * connected (sock_diag(7)), only in the network namespace of this command; the open descriptors of
 * processes show which process has which socket. The end without a name is the client's; the
 * server's end has the name of the listening socket that accepted it.
 */
final class UnixConversations {
    private final Map<Long, UnixConnection> byInode = new HashMap<>();
    private final Map<Long, Holder> holders = new HashMap<>();

    /** The process that has a socket open; the first one found, if there are several. */
    private record Holder(ProcessId id, String name) {
        @Override
        public String toString() {
            return id.inThisBoot() + (name.isEmpty() ? "" : " (" + name + ")");
        }
    }

    /** Reads the connections of this moment; none if the kernel does not report them. */
    UnixConversations() {
        try {
            SysSockDiag.unixConnections().forEach(one -> byInode.put(one.inode(), one));
        } catch (ErrnoException e) {
            return;
        }
        SubtreeProcesses.forEach(CgroupPath.ROOT, this::read);
    }

    private void read(PidFd process) {
        Set<Long> sockets = readIfPermitted(() -> process.proc().sockets()).orElse(Set.of());
        if (sockets.stream().noneMatch(byInode::containsKey)) {
            return;
        }
        String name = readIfPermitted(() -> process.proc().name()).orElse("");
        readIfPermitted(process::processId)
                .map(id -> new Holder(id, name))
                .ifPresent(it -> sockets.forEach(inode -> holders.putIfAbsent(inode, it)));
    }

    /**
     * Returns the servers to which a process is connected, sorted as text: {@code /run/a.sock of
     * 77:4711 (server)}. Empty if the kernel does not let this user read the descriptors of the
     * process.
     */
    List<String> serversOf(PidFd process) {
        Optional<ProcessId> self = readIfPermitted(process::processId);
        return readIfPermitted(() -> process.proc().sockets()).orElse(Set.of()).stream()
                .map(byInode::get)
                .filter(Objects::nonNull)
                .filter(own -> own.name().bytes().length == 0)
                .map(own -> byInode.get(own.peer()))
                .filter(Objects::nonNull)
                .filter(other -> other.name().bytes().length > 0)
                .filter(other -> !self.equals(holder(other).map(Holder::id)))
                .map(other ->
                        UnixAddress.ofKernelName(other.name().text())
                                + holder(other).map(known -> " of " + known).orElse(""))
                .distinct()
                .sorted()
                .toList();
    }

    private Optional<Holder> holder(UnixConnection socket) {
        return Optional.ofNullable(holders.get(socket.inode()));
    }
}
