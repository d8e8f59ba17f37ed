package io.holdfast.core.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.folder.HeldPath;
import io.holdfast.core.sys.SysMount;
import java.util.Map;
import java.util.function.Consumer;

/**
 * A tree to mount in a child's namespace: made anew, detached, for each child.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/open_tree.2.html">open_tree(2)</a>
 */
@FunctionalInterface
public interface MountTree {
    /**
     * Makes the tree, outside the namespace that it is for.
     *
     * @return the detached tree, owned by the caller
     * @throws ErrnoException if it cannot be made
     */
    Fd open();

    /**
     * {@return a clone of what is visible at a path of our namespace, with all mounts below it}
     *
     * @param path an absolute path; symbolic links are {@linkplain
     *     io.holdfast.core.file.Links#GUARDED guarded}
     */
    static MountTree at(String path) {
        return () -> clone(path, true);
    }

    /**
     * Returns a clone of what is visible at a path of our namespace, without the mounts below it.
     *
     * @param path the path
     * @return the tree
     */
    static MountTree only(String path) {
        return () -> clone(path, false);
    }

    private static Fd clone(String path, boolean recursive) {
        try (HeldPath held = HeldPath.open(path)) {
            return SysMount.cloneTree(held.fd(), path, recursive);
        } catch (FileException e) {
            throw e.asErrno("open_tree", path);
        }
    }

    /**
     * {@return a new file system}
     *
     * @param type the type of the file system, such as {@code tmpfs}
     * @param options the options of the file system, as mount(8) has them
     * @param attributes the attributes of its mount
     */
    static MountTree fileSystem(
            String type, Map<String, String> options, MountAttribute... attributes) {
        long bits = MountAttribute.bits(attributes);
        return () -> SysMount.fileSystem(type, options, bits);
    }

    /**
     * {@return the same tree, changed by an action, for example with files made in it}
     *
     * @param maker called with the root of the tree, which is lent
     */
    default MountTree filledBy(Consumer<Fd> maker) {
        return () -> {
            Fd tree = open();
            try {
                maker.accept(tree);
                return tree;
            } catch (RuntimeException e) {
                tree.close();
                throw e;
            }
        };
    }

    /**
     * {@return the same tree, with attributes set on each of its mounts}
     *
     * @param attributes the attributes
     */
    default MountTree with(MountAttribute... attributes) {
        long bits = MountAttribute.bits(attributes);
        return filledBy(tree -> {
            int r = SysMount.setAttributes(tree, true, bits);
            ErrnoException.check(r, "mount_setattr", tree);
        });
    }

    /** {@return the same tree, read-only} */
    default MountTree readOnly() {
        return with(MountAttribute.READ_ONLY);
    }
}
