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

    /**
     * Removes those that a user owns, except shared memory that a process has attached; what cannot
     * be removed stays.
     */
    static void removeAll(long uid) {
        for (SysIpc.Kind kind : SysIpc.Kind.values()) {
            List<String> lines = SmallFile.read(Path.of(kind.list())).lines().toList();
            if (lines.isEmpty()) {
                continue; // the kernel has none of this kind
            }
            List<String> names = List.of(lines.getFirst().strip().split("\\s+"));
            int owner = names.indexOf("uid");
            int attached = names.indexOf("nattch"); // of shared memory
            for (String line : lines.subList(1, lines.size())) {
                String[] fields = line.strip().split("\\s+");
                boolean isOurs = owner >= 0 && is(fields, owner, Long.toString(uid));
                if (isOurs && (attached < 0 || is(fields, attached, "0"))) {
                    int _ = SysIpc.remove(kind, Integer.parseInt(fields[1]));
                }
            }
        }
        FOLDERS.forEach(folder -> removeFiles(folder, uid));
    }

    private static boolean is(String[] fields, int index, String value) {
        return index < fields.length && fields[index].equals(value);
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
