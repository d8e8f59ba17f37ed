package io.holdfast.manager.process;

import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.file.folder.TreeRemoval;
import io.holdfast.core.sys.SysIpc;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.unit.SmallFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The IPC objects of a user in the IPC namespace of the manager: System V (sysvipc(7)) and POSIX
 * (shm_overview(7), mq_overview(7)). Blocking.
 */
final class IpcObjects {
    private static final List<String> FOLDERS = List.of("/dev/shm", "/dev/mqueue");

    private IpcObjects() {}

    /** Removes those that a user owns; what cannot be removed stays. */
    static void removeAll(long uid) {
        for (SysIpc.Kind kind : SysIpc.Kind.values()) {
            List<String> lines = SmallFile.read(Path.of(kind.list())).lines().toList();
            if (lines.isEmpty()) {
                continue; // the kernel has none of this kind
            }
            int owner = List.of(lines.getFirst().strip().split("\\s+")).indexOf("uid");
            for (String line : lines.subList(1, lines.size())) {
                String[] fields = line.strip().split("\\s+");
                if (owner >= 0 && owner < fields.length && fields[owner].equals("" + uid)) {
                    int _ = SysIpc.remove(kind, Integer.parseInt(fields[1]));
                }
            }
        }
        FOLDERS.forEach(folder -> removeFiles(folder, uid));
    }

    private static void removeFiles(String path, long uid) {
        try (Directory folder = Directory.open(path)) {
            for (String name : folder.names(ManagerLimits.LEFTOVERS.intValue())) {
                Optional<FileStatus> stat = folder.stat(name);
                if (stat.filter(file -> file.uid() == uid).isPresent()) {
                    TreeRemoval.remove(folder, name);
                }
            }
        } catch (FileException e) {
            // not mounted here, or a name that cannot be removed
        }
    }
}
