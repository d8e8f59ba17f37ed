package io.holdfast.core.process;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.HeldPath;
import io.holdfast.core.sys.SysMount;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What is to be mounted in a child's namespace: made anew for each child, before it is anywhere.
 *
 * @see <a href="https://man7.org/linux/man-pages/man2/open_tree.2.html">open_tree(2)</a>
 */
@FunctionalInterface
public interface MountTree {
    /**
     * Makes it, outside of the namespace that it is for.
     *
     * @return to be attached, or closed
     * @throws ErrnoException why not
     */
    Fd open();

    /**
     * {@return what is to be seen at a path outside, with all that is mounted below}
     *
     * @param path absolute; symbolic links are guarded ({@link HeldPath})
     */
    static MountTree at(String path) {
        return () -> clone(path, true);
    }

    /**
     * The same without what is mounted below.
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
     * {@return a file system of its own}
     *
     * @param type as {@code tmpfs}
     * @param options the options of the file system, as mount(8) has them
     * @param attributes a sum of the constants of {@link SysMount}
     */
    static MountTree fileSystem(String type, Map<String, String> options, long attributes) {
        return () -> SysMount.fileSystem(type, options, attributes);
    }

    /**
     * {@return the same tree with something made in it}
     *
     * @param maker given the root of the tree
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
     * {@return the same tree with attributes for each of its mounts}
     *
     * @param attributes a sum of the constants of {@link SysMount}
     */
    default MountTree with(long attributes) {
        return filledBy(tree -> {
            int r = SysMount.setAttributes(tree, true, attributes);
            ErrnoException.check(r, "mount_setattr", tree);
        });
    }

    /** {@return the same tree, read-only} */
    default MountTree readOnly() {
        return with(SysMount.READ_ONLY);
    }
}
