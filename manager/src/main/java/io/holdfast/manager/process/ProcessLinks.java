package io.holdfast.manager.process;

import io.holdfast.core.Feature;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.unit.UnitName;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/**
 * Tells the receiver of log messages which unit a process belongs to where units have no cgroups:
 * links from the id of its pidfd to the name of the unit, in a folder that only the manager's user
 * can change.
 *
 * <pre>
 *   processes/3157190 → web.service
 * </pre>
 *
 * <p>The folder is made with the first link. The links of the last processes that have ended stay:
 * their messages may be read later, and no other process ever gets their ids. A link that cannot be
 * made is left out: the messages are then stored without a unit. Used on the event loop.
 */
final class ProcessLinks {
    private static final int ENDED = 256; // links of processes that have ended

    private final Path folder;
    private final Set<Long> linked = new HashSet<>();
    private final Deque<Long> ended = new ArrayDeque<>();

    /**
     * @param folder what an earlier manager has left there is removed
     */
    ProcessLinks(Path folder) {
        this.folder = folder;
        removeAll();
    }

    /** Names the unit of a process, in place of an earlier one. */
    void put(PidFd process, UnitName unit) {
        if (!Feature.PIDFS.isPresent()) {
            return; // its id would be no identity
        }
        try {
            if (linked.isEmpty() && !Files.isDirectory(folder)) {
                Files.createDirectories(folder);
                Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
            }
            long id = process.id();
            boolean _ = ended.remove(id);
            boolean _ = Files.deleteIfExists(link(id));
            Files.createSymbolicLink(link(id), Path.of(unit.text()));
            linked.add(id);
        } catch (IOException e) {
            // the file system is full, for instance
        }
    }

    /** Notes that the process has ended, or belongs to no such unit any more. */
    void remove(PidFd process) {
        if (!linked.isEmpty() && linked.remove(process.id())) {
            ended.addLast(process.id());
            if (ended.size() > ENDED) {
                boolean _ = link(ended.removeFirst()).toFile().delete();
            }
        }
    }

    private Path link(long id) {
        return folder.resolve(Long.toUnsignedString(id));
    }

    /** Removes all links and the folder. */
    void removeAll() {
        linked.clear();
        ended.clear();
        try (DirectoryStream<Path> links = Files.newDirectoryStream(folder)) {
            for (Path link : links) {
                boolean _ = Files.deleteIfExists(link);
            }
            boolean _ = Files.deleteIfExists(folder);
        } catch (IOException e) {
            // it is not there
        }
    }
}
