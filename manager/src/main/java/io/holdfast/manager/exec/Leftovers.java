package io.holdfast.manager.exec;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.file.folder.ScratchFolder;
import io.holdfast.core.file.folder.TreeRemoval;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysDirent;
import io.holdfast.manager.loop.ManagerLimits;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Removes temporary folders that a killed process of ours has left: those of {@code PrivateTmp=},
 * those in which a child is held before it executes its program, and those of tours. A folder is
 * removed if our own user made it, its lock is free, so that its maker is dead, and, in the first
 * case, no process of its run is alive, and no run that was found has joined it.
 *
 * <p>Every user can make folders with such names, so the number of folders that are inspected is
 * bounded. Blocking.
 */
public final class Leftovers {
    private static final List<Path> SHARED = List.of(Path.of("/tmp"), Path.of("/var/tmp"));
    private static final List<String> OTHERS = List.of("holdfast-gate-", "holdfast-tour-");

    private final Path shared;
    private final Predicate<String> isKept;
    private final Consumer<String> warnings;
    private int looks;
    private int removed;

    private Leftovers(Path shared, Predicate<String> isKept, Consumer<String> warnings) {
        this.shared = shared;
        this.isKept = isKept;
        this.warnings = warnings;
    }

    /**
     * Removes the leftovers of this machine.
     *
     * @param support knows the folders of the runs that were found
     * @param warnings receives a line for each that cannot be removed
     * @return how many were removed
     */
    public static int remove(SandboxSupport support, Consumer<String> warnings) {
        return SHARED.stream()
                .mapToInt(shared -> removeIn(shared, support.shared()::isKept, warnings))
                .sum();
    }

    /**
     * Removes the leftovers in one folder.
     *
     * @param isKept whether a run that was found may have a folder of this name
     */
    static int removeIn(Path shared, Predicate<String> isKept, Consumer<String> warnings) {
        Leftovers leftovers = new Leftovers(shared, isKept, warnings);
        try (Fd folder = Fcntl.open(shared.toString(), Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            SysDirent.forEachDirectory(folder, name -> leftovers.look(folder, name));
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT) { // a small image may have no such folder
                warnings.accept("cannot look for leftovers in " + shared + ": " + e.getMessage());
            }
        }
        return leftovers.removed;
    }

    /** Inspects one entry; returns whether to continue. */
    private boolean look(Fd folder, String name) {
        boolean isPrivate = name.startsWith(PrivateFolder.PREFIX);
        if (!isPrivate && OTHERS.stream().noneMatch(name::startsWith)) {
            return true;
        }
        if (++looks > ManagerLimits.LEFTOVERS.intValue()) {
            warnings.accept(
                    "%s: more than %d files look like leftovers; the others stay; %s"
                            .formatted(
                                    shared,
                                    ManagerLimits.LEFTOVERS.value(),
                                    ManagerLimits.LEFTOVERS.remedy()));
            return false;
        }
        if (isPrivate && (isKept.test(name) || !PrivateFolder.isUnused(name))) {
            return true; // its lock is left to the unit that may be looking for it now
        }
        Path path = shared.resolve(name);
        Optional<ScratchFolder> dead = ScratchFolder.dead(folder, path);
        if (dead.isPresent()) {
            try (ScratchFolder held = dead.get();
                    Directory parent = Directory.held(held.shared(), shared.toString())) {
                TreeRemoval.remove(parent, name);
                removed++;
            } catch (ErrnoException | FileException e) {
                warnings.accept("cannot remove a leftover: " + e.getMessage());
            }
        }
        return true;
    }
}
