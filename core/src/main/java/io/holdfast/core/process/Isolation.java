package io.holdfast.core.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.sys.SysMount;
import io.holdfast.core.sys.process.ChildTable;
import io.holdfast.core.sys.process.NamespaceEntry;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The description of a child's own namespaces and of the mounts in them ({@link Spawn#isolation}).
 * The thread that spawns the child makes them, with no helper program and no mount in our
 * namespace. They end with the last process in them. Needs CAP_SYS_ADMIN, for mounts also Linux
 * 5.12 and glibc 2.36.
 *
 * <p>One description may serve many children, each of which gets namespaces of its own. Not safe
 * for use by several threads while it is being changed.
 *
 * @see <a href="https://man7.org/linux/man-pages/man7/mount_namespaces.7.html">
 *     mount_namespaces(7)</a>
 */
public final class Isolation {
    private sealed interface Mount {
        record Attributes(String path, long bits) implements Mount {}

        record Attached(MountTree tree, String path) implements Mount {}
    }

    private final Set<Namespace.Kind> fresh = EnumSet.noneOf(Namespace.Kind.class);
    private final List<Namespace> joined = new ArrayList<>();
    private final List<Mount> mounts = new ArrayList<>();
    private long propagation;

    /** Creates a description without namespaces of its own. */
    public Isolation() {}

    /** Thrown when a child's namespaces or mounts could not be made. */
    public static final class FailedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        FailedException(RuntimeException cause) {
            super(cause.getMessage(), cause);
        }
    }

    /**
     * Adds a namespace that is made anew for each child.
     *
     * @param kind MNT, UTS, IPC, NET or PID; with PID, each child is the first process of its
     *     namespace, and still sees the {@code /proc} of ours
     * @return this
     * @throws IllegalArgumentException if the kind is another
     */
    public Isolation fresh(Namespace.Kind kind) {
        int ignored = kind == Namespace.Kind.PID ? 0 : flag(kind);
        fresh.add(kind);
        return this;
    }

    /** Returns whether each child gets a new namespace of this kind. */
    boolean makes(Namespace.Kind kind) {
        return fresh.contains(kind);
    }

    /**
     * Adds an existing namespace, which the children share.
     *
     * @param namespace a namespace of kind UTS, IPC or NET; lent until the children have been
     *     started
     * @return this
     * @throws IllegalArgumentException if the namespace is of another kind
     */
    public Isolation join(Namespace namespace) {
        if (namespace.kind() == Namespace.Kind.MNT) {
            throw new IllegalArgumentException("mounts are made for each child");
        }
        int ignored = flag(namespace.kind());
        joined.add(namespace);
        return this;
    }

    /**
     * Mounts a tree at a path of a fresh mount namespace, over the mounts that were added earlier.
     *
     * @param tree the tree to mount
     * @param path an absolute path that exists in the namespace, without symbolic links
     * @return this
     */
    public Isolation mount(MountTree tree, String path) {
        fresh.add(Namespace.Kind.MNT);
        mounts.add(new Mount.Attached(tree, path));
        return this;
    }

    /**
     * Makes all mounts at and below a path read-only, the inherited ones too. Mounts that are added
     * later are not affected.
     *
     * @param path the path
     * @return this
     */
    public Isolation readOnly(String path) {
        return with(path, MountAttribute.READ_ONLY);
    }

    /**
     * Lets no program be executed from all mounts at and below a path, the inherited ones too.
     * Mounts that are added later are not affected.
     *
     * @param path the path
     * @return this
     */
    public Isolation noExecution(String path) {
        return with(path, MountAttribute.NO_EXEC);
    }

    /**
     * Lets mounts that appear outside of its mount namespace not appear in it: by default they do.
     *
     * @return this
     */
    public Isolation withoutPropagation() {
        fresh.add(Namespace.Kind.MNT);
        propagation = SysMount.MS_PRIVATE;
        return this;
    }

    /**
     * Lets mounts that are made in its mount namespace appear in the namespaces that a child makes
     * from it, but never in ours.
     *
     * @return this
     */
    public Isolation sharedMounts() {
        propagation = SysMount.MS_SHARED;
        return this;
    }

    private Isolation with(String path, MountAttribute attribute) {
        fresh.add(Namespace.Kind.MNT);
        mounts.add(new Mount.Attributes(path, MountAttribute.bits(attribute)));
        return this;
    }

    static int flag(Namespace.Kind kind) {
        return switch (kind) {
            case MNT -> NamespaceEntry.NEW_MOUNTS;
            case UTS -> NamespaceEntry.NEW_UTS;
            case IPC -> NamespaceEntry.NEW_IPC;
            case NET -> NamespaceEntry.NEW_NET;
            default -> throw new IllegalArgumentException("a child cannot be isolated by " + kind);
        };
    }

    /**
     * Returns the entry into the namespaces for one child.
     *
     * @param table the table of the child, to which the descriptors of the entry are added
     */
    NamespaceEntry entry(ChildTable table) {
        NamespaceEntry entry = null;
        try {
            if (fresh.contains(Namespace.Kind.MNT) && !Feature.MOUNT_TREES.isPresent()) {
                throw new NotSupportedException("isolating a child", Feature.MOUNT_TREES);
            }
            int flags = 0;
            for (Namespace.Kind kind : fresh) {
                flags |= kind == Namespace.Kind.PID ? NamespaceEntry.NEW_PROCESSES : flag(kind);
            }
            entry = new NamespaceEntry(flags, table);
            for (Namespace namespace : joined) {
                entry.join(namespace.fd(), flag(namespace.kind()));
            }
            for (Mount mount : mounts) {
                switch (mount) {
                    case Mount.Attributes(String path, long bits) -> entry.add(path, bits);
                    case Mount.Attached(MountTree tree, String path) ->
                            entry.attach(opened(tree, path), path);
                }
            }
            if (propagation != 0) {
                entry.propagate(propagation);
            }
            return entry;
        } catch (RuntimeException e) {
            close(entry);
            throw e instanceof FailedException ? e : new FailedException(e);
        }
    }

    private static Fd opened(MountTree tree, String path) {
        try {
            return tree.open();
        } catch (ErrnoException e) {
            throw new FailedException(
                    new ErrnoException(e.call(), e.subject(), e.errno(), "mount target: " + path));
        }
    }

    private static void close(@Nullable NamespaceEntry entry) {
        if (entry != null) {
            entry.close();
        }
    }
}
