package io.holdfast.manager.exec;

import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.process.Namespace;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a sandbox that all commands of a run share, and that other units may join ({@code
 * JoinsNamespaceOf=}): the network, the IPC objects and the temporary folders. The first of them
 * that starts makes a part, and the last of them that ends removes it. Safe for use by several
 * threads.
 */
final class SharedParts {
    /** All runs of a manager that have such parts. */
    static final class Registry {
        private final List<Member> members = new ArrayList<>();

        /** Returns whether the run that has a temporary folder may be one that was found. */
        synchronized boolean isKept(String folder) {
            return members.stream()
                    .map(each -> each.parts.name)
                    .anyMatch(name -> !name.isEmpty() && folder.startsWith(name));
        }

        /**
         * Returns the membership of a run in the parts of the units that it joins, or that join it,
         * or in new ones.
         */
        synchronized Member join(UnitName unit, Set<UnitName> joined) {
            return member(unit, joined, joinable(unit, joined).findFirst());
        }

        private Stream<SharedParts> joinable(UnitName unit, Set<UnitName> joined) {
            return members.stream()
                    .filter(each ->
                            joined.contains(each.unit)
                                    || each.joined.contains(unit)
                                    || (each.unit.equals(unit) && !joined.isEmpty()))
                    .map(each -> each.parts);
        }

        /**
         * Returns the membership of a run that a killed manager has begun, in the parts that it
         * has, whose maker may have ended. A unit that joins it then finds them, even if it starts
         * before the folders are found again.
         *
         * @param folders the name of its temporary folders; "" if it has none
         * @param locks of these folders, owned from now on
         * @param network that of its processes, owned from now on; empty if they have none
         * @param ipc like the network
         */
        synchronized Member rejoin(
                UnitName unit,
                Set<UnitName> joined,
                String folders,
                List<Fd> locks,
                Optional<Namespace> network,
                Optional<Namespace> ipc) {
            Optional<SharedParts> known =
                    members.stream()
                            .map(each -> each.parts)
                            .filter(each -> !folders.isEmpty() && each.name.equals(folders))
                            .findFirst()
                            .or(() ->
                                    joinable(unit, joined)
                                            .filter(each -> each.mayBe(folders, network, ipc))
                                            .findFirst());
            Member member = member(unit, joined, known);
            member.parts.find(folders, locks, network, ipc);
            return member;
        }

        private Member member(UnitName unit, Set<UnitName> joined, Optional<SharedParts> known) {
            SharedParts parts = known.orElseGet(SharedParts::new);
            Member member = new Member(this, unit, Set.copyOf(joined), parts);
            members.add(member);
            return member;
        }

        private void leave(Member member) throws FileException {
            boolean isLast;
            synchronized (this) {
                isLast =
                        members.remove(member)
                                && members.stream().noneMatch(each -> each.parts == member.parts);
            }
            if (isLast) {
                member.parts.close();
            }
        }
    }

    /**
     * The membership of one run.
     *
     * @param joined the units that it joins
     */
    record Member(Registry registry, UnitName unit, Set<UnitName> joined, SharedParts parts)
            implements AutoCloseable {
        /**
         * Ends the membership, and removes the parts if it is the last.
         *
         * @throws FileException if a temporary folder is left
         */
        @Override
        public void close() throws FileException {
            registry.leave(this);
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return this == other; // a unit may have two runs
        }

        @Override
        public int hashCode() {
            return System.identityHashCode(this);
        }
    }

    private final List<PrivateFolder> folders = new ArrayList<>();
    private final Queue<Fd> locks = new ConcurrentLinkedQueue<>(); // of folders that were found
    private volatile String name = ""; // of the folders
    private volatile boolean found; // a killed manager has made them
    private final AtomicReference<@Nullable Namespace> network = new AtomicReference<>();
    private final AtomicReference<@Nullable Namespace> ipc = new AtomicReference<>();

    private SharedParts() {}

    /** Returns whether a run that was found may have had these parts, and no others. */
    private boolean mayBe(
            String folders, Optional<Namespace> ofNetwork, Optional<Namespace> ofIpc) {
        return (name.isEmpty() || folders.isEmpty() || name.equals(folders))
                && mayBe(network.get(), ofNetwork)
                && mayBe(ipc.get(), ofIpc);
    }

    private static boolean mayBe(@Nullable Namespace part, Optional<Namespace> namespace) {
        return part == null || namespace.isEmpty() || part.equals(namespace.get());
    }

    /** Records what a run that was found has. Does not wait for a thread that makes parts. */
    private void find(
            String folders,
            List<Fd> ofFolders,
            Optional<Namespace> ofNetwork,
            Optional<Namespace> ofIpc) {
        found = true;
        locks.addAll(ofFolders);
        if (name.isEmpty()) {
            name = folders;
        }
        ofNetwork.ifPresent(one -> offer(network, one));
        ofIpc.ifPresent(one -> offer(ipc, one));
    }

    private static void offer(AtomicReference<@Nullable Namespace> part, Namespace namespace) {
        if (!part.compareAndSet(null, namespace)) {
            namespace.close();
        }
    }

    /**
     * Returns the temporary folder below a base, which a killed manager may have made.
     *
     * @param own the name of the folder, if it is the first one
     */
    synchronized PrivateFolder folder(String base, String own) throws FileException {
        if (name.isEmpty()) {
            name = own;
        }
        for (PrivateFolder folder : folders) {
            if (folder.base().equals(base)) {
                return folder;
            }
        }
        Optional<PrivateFolder> there =
                found ? PrivateFolder.find(base, name, locks) : Optional.empty();
        PrivateFolder folder = there.isPresent() ? there.get() : PrivateFolder.make(base, name);
        folders.add(folder);
        return folder;
    }

    /** Returns the name of the temporary folders; "" if there are none. */
    String name() {
        return name;
    }

    /** Returns the network, lent. */
    Namespace network() {
        return made(network, Namespace.Kind.NET);
    }

    /** Returns the IPC namespace, lent. */
    Namespace ipc() {
        return made(ipc, Namespace.Kind.IPC);
    }

    private synchronized Namespace made(
            AtomicReference<@Nullable Namespace> part, Namespace.Kind kind) {
        if (part.get() == null) {
            offer(part, Namespace.make(kind));
        }
        return Objects.requireNonNull(part.get());
    }

    private synchronized void close() throws FileException {
        for (AtomicReference<@Nullable Namespace> part : List.of(network, ipc)) {
            Namespace namespace = part.getAndSet(null);
            if (namespace != null) {
                namespace.close();
            }
        }
        FileException failure = null;
        for (PrivateFolder folder : folders) {
            try {
                folder.close();
            } catch (FileException e) {
                failure = e;
            }
        }
        folders.clear();
        locks.forEach(Fd::close);
        locks.clear();
        if (failure != null) {
            throw failure;
        }
    }
}
