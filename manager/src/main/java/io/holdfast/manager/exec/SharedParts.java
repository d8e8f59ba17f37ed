package io.holdfast.manager.exec;

import io.holdfast.core.file.FileException;
import io.holdfast.core.process.Namespace;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
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
        private final Set<String> found = ConcurrentHashMap.newKeySet();

        /**
         * Keeps temporary folders that a run of a killed manager has, although the unit that made
         * them may have ended.
         */
        void keep(String name) {
            found.add(name);
        }

        /** Returns whether a run that was found may have a folder. */
        boolean isKept(String folder) {
            return found.stream().anyMatch(folder::startsWith);
        }

        /**
         * Returns the membership of a run in the parts of the units that it joins, or that join it,
         * or in new ones.
         */
        synchronized Member join(UnitName unit, Set<UnitName> joined) {
            SharedParts parts =
                    members.stream()
                            .filter(each ->
                                    joined.contains(each.unit)
                                            || each.joined.contains(unit)
                                            || (each.unit.equals(unit) && !joined.isEmpty()))
                            .map(each -> each.parts)
                            .findFirst()
                            .orElseGet(SharedParts::new);
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
    private String name = ""; // of the folders
    private @Nullable Namespace network;
    private @Nullable Namespace ipc;

    private SharedParts() {}

    /**
     * Returns the temporary folder below a base.
     *
     * @param own the name of the folder, if it is the first one
     * @param again whether an earlier manager has made it
     */
    synchronized PrivateFolder folder(String base, String own, boolean again) throws FileException {
        if (name.isEmpty()) {
            name = own;
        }
        for (PrivateFolder folder : folders) {
            if (folder.base().equals(base)) {
                return folder;
            }
        }
        Optional<PrivateFolder> there = again ? PrivateFolder.find(base, name) : Optional.empty();
        PrivateFolder folder = there.isPresent() ? there.get() : PrivateFolder.make(base, name);
        folders.add(folder);
        return folder;
    }

    /** Returns the name of the temporary folders; "" if there are none. */
    synchronized String name() {
        return name;
    }

    /**
     * Returns the network, lent.
     *
     * @param before that of a process of the run, if an earlier manager has made it; owned from now
     *     on
     */
    synchronized Namespace network(Optional<Namespace> before) {
        network = part(network, before, Namespace.Kind.NET);
        return network;
    }

    /** Returns the IPC namespace, like {@link #network}. */
    synchronized Namespace ipc(Optional<Namespace> before) {
        ipc = part(ipc, before, Namespace.Kind.IPC);
        return ipc;
    }

    private static Namespace part(
            @Nullable Namespace part, Optional<Namespace> before, Namespace.Kind kind) {
        if (part == null) {
            return before.orElseGet(() -> Namespace.make(kind));
        }
        before.ifPresent(Namespace::close);
        return part;
    }

    private synchronized void close() throws FileException {
        if (network != null) {
            network.close();
        }
        if (ipc != null) {
            ipc.close();
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
        if (failure != null) {
            throw failure;
        }
    }
}
