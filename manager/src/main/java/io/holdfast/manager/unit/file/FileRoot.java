package io.holdfast.manager.unit.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The folder that stands for {@code /}: the machine's own, or that of an image of another system.
 *
 * @param folder absolute, normalized
 */
public record FileRoot(Path folder) {
    /** The root of this machine. */
    public static final FileRoot MACHINE = new FileRoot(Path.of("/"));

    private static final int MAX_LINKS = 40; // as the kernel

    public FileRoot {
        folder = folder.toAbsolutePath().normalize();
    }

    public boolean isMachine() {
        return folder.equals(MACHINE.folder);
    }

    /** Returns where an absolute path of the system is on this machine, without following links. */
    public Path place(Path path) {
        return folder.resolve(MACHINE.folder.relativize(path));
    }

    /**
     * Returns where an absolute path of the system is on this machine, with its links followed
     * inside of the root. The path need not exist.
     */
    public Path follow(Path path) {
        if (isMachine()) {
            return path;
        }
        Deque<Path> open = new ArrayDeque<>();
        path.forEach(open::add);
        Path at = folder;
        int links = 0;
        while (!open.isEmpty()) {
            Path name = open.removeFirst();
            if (name.toString().equals("..")) {
                at = at.equals(folder) ? folder : Objects.requireNonNull(at.getParent());
                continue;
            }
            Path next = at.resolve(name);
            Path target = links < MAX_LINKS ? target(next) : null;
            if (target == null) {
                at = next;
                continue;
            }
            links++;
            at = target.isAbsolute() ? folder : at;
            for (int i = target.getNameCount() - 1; i >= 0; i--) {
                open.addFirst(target.getName(i));
            }
        }
        return at;
    }

    /** Follows the links of a file of this machine that is inside of the root. */
    public Path followInside(Path file) {
        return isMachine() || !file.startsWith(folder) ? file : follow(asInside(file));
    }

    /** Returns the path of a file of this machine as the system below the root has it. */
    public Path asInside(Path file) {
        return isMachine() || !file.startsWith(folder)
                ? file
                : MACHINE.folder.resolve(folder.relativize(file));
    }

    private static @Nullable Path target(Path link) {
        try {
            return Files.isSymbolicLink(link) ? Files.readSymbolicLink(link) : null;
        } catch (IOException e) {
            return null;
        }
    }
}
