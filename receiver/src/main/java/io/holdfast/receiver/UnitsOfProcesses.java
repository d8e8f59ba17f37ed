package io.holdfast.receiver;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.process.PidFd;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The units of processes where units have no cgroups. A service manager names the unit of each
 * process that it has started by a link from the id of the pidfd; what such a process starts
 * belongs to the unit, too. Owned by one thread.
 */
final class UnitsOfProcesses {
    private final Path folder;

    /**
     * @param folder that the service manager writes; it is missing where units have cgroups
     */
    UnitsOfProcesses(Path folder) {
        this.folder = folder;
    }

    /** {@return whether there are units without cgroups, in a folder that is trusted} */
    boolean areNamed() {
        if (!Files.isDirectory(folder)) {
            return false;
        }
        try (TrustedFolder _ = TrustedFolder.open(folder)) {
            return true;
        } catch (ErrnoException e) {
            return false;
        }
    }

    /**
     * Returns the unit of a process; empty if it has none, or if its parent is not known any more.
     */
    Optional<String> of(PidFd process) {
        @Nullable PidFd at = null;
        try {
            at = process.duplicate();
            for (int i = 0; i < ReceiverLimits.ANCESTORS.intValue(); i++) {
                Path link = folder.resolve(Long.toUnsignedString(at.id()));
                if (Files.isSymbolicLink(link)) {
                    return Optional.of(Files.readSymbolicLink(link).toString());
                }
                Optional<PidFd> parent = at.parent();
                if (parent.isEmpty()) {
                    break;
                }
                at.close();
                at = parent.get();
            }
        } catch (IOException | ErrnoException e) {
            // it has ended
        } finally {
            if (at != null) {
                at.close();
            }
        }
        return Optional.empty();
    }
}
