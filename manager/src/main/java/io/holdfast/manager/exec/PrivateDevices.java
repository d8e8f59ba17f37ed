package io.holdfast.manager.exec;

import io.holdfast.core.Fd;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.process.MountTree;
import io.holdfast.core.sys.SysMount;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A {@code /dev} that has only pseudo devices ({@code PrivateDevices=}). They are bound from the
 * machine's own, because mknod(2) needs a privilege that containers do not have.
 */
final class PrivateDevices {
    private static final List<String> PSEUDO =
            List.of("null", "zero", "full", "random", "urandom", "tty");
    private static final List<String> FOLDERS = List.of("pts", "shm", "mqueue", "hugepages");
    private static final Map<String, String> LINKS =
            Map.of(
                    "ptmx", "pts/ptmx",
                    "fd", "/proc/self/fd",
                    "stdin", "/proc/self/fd/0",
                    "stdout", "/proc/self/fd/1",
                    "stderr", "/proc/self/fd/2",
                    "core", "/proc/kcore");
    private static final Map<String, String> SMALL =
            Map.of("mode", "0755", "size", "4m", "nr_inodes", "64k");
    private static final Path LOG = Path.of("/dev/log");

    private PrivateDevices() {}

    static void addTo(MountPlan plan) throws SetupException {
        plan.replace(
                "/dev",
                MountTree.fileSystem("tmpfs", SMALL).filledBy(PrivateDevices::links),
                SysMount.READ_ONLY | SysMount.NO_SUID | SysMount.NO_EXEC);
        for (String name : PSEUDO) {
            bind(plan, name);
        }
        for (String name : FOLDERS) {
            bind(plan, name);
        }
        if (!Files.isSymbolicLink(LOG)) {
            bind(plan, "log");
        }
    }

    private static void bind(MountPlan plan, String name) throws SetupException {
        String path = "/dev/" + name;
        Optional<MountPlan.Real> real = MountPlan.ofMachine(path);
        if (real.isPresent()) {
            plan.bind(real.get(), path, SysMount.NO_SUID | SysMount.NO_EXEC, true);
        }
    }

    private static void links(Fd top) {
        try (Directory folder = Directory.held(top, "/dev")) {
            for (Map.Entry<String, String> link : LINKS.entrySet()) {
                boolean _ = folder.link(link.getKey(), link.getValue());
            }
            if (Files.isSymbolicLink(LOG)) {
                boolean _ = folder.link("log", Files.readSymbolicLink(LOG).toString());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot fill a /dev", e);
        }
    }
}
