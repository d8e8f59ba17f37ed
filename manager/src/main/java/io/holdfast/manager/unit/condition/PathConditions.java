package io.holdfast.manager.unit.condition;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.manager.unit.file.MountTable;
import io.holdfast.manager.unit.value.EnvironmentFile;
import io.holdfast.manager.unit.value.Glob;
import io.holdfast.manager.unit.value.Scalars;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/** The conditions about files and folders. */
final class PathConditions {
    private static final int MAX_MATCHES = 10_000;
    private static final long NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

    /** Files that tools leave in a folder; a folder with no others counts as empty. */
    private static final Set<String> LEFTOVERS =
            Set.of("lost+found", "aquota.user", "aquota.group");

    /** Endings of the files that package managers and editors leave beside the original. */
    private static final Set<String> LEFTOVER_ENDINGS =
            Set.of(
                    "rpmnew",
                    "rpmsave",
                    "rpmorig",
                    "dpkg-old",
                    "dpkg-new",
                    "dpkg-tmp",
                    "dpkg-dist",
                    "dpkg-bak",
                    "dpkg-backup",
                    "dpkg-remove",
                    "ucf-new",
                    "ucf-old",
                    "ucf-dist",
                    "swp",
                    "bak",
                    "old",
                    "new");

    private PathConditions() {}

    static boolean exists(String path, MachineFacts machine) {
        return Files.exists(Path.of(path));
    }

    static boolean anyMatches(String pattern, MachineFacts machine) {
        try {
            for (String each : Glob.alternatives(pattern, MAX_MATCHES)) {
                if (!Glob.expand(each, MAX_MATCHES).isEmpty()) {
                    return true;
                }
            }
            return false;
        } catch (IOException e) {
            return true; // too many
        }
    }

    static boolean isDirectory(String path, MachineFacts machine) {
        return Files.isDirectory(Path.of(path));
    }

    static boolean isLink(String path, MachineFacts machine) {
        return Files.isSymbolicLink(Path.of(path));
    }

    static boolean isMountPoint(String path, MachineFacts machine) {
        try {
            String real = Path.of(path).toRealPath().toString();
            return real.equals("/") || MountTable.read().at(real).isPresent();
        } catch (IOException e) {
            return false;
        }
    }

    static boolean isReadWrite(String path, MachineFacts machine) {
        return isReadOnly(path).map(readOnly -> !readOnly).orElse(false);
    }

    /** Returns whether a path is on a read-only mount; empty if it does not exist. */
    private static Optional<Boolean> isReadOnly(String path) {
        try (Fd file = Fcntl.open(path, Fcntl.O_PATH)) {
            return Optional.of(SysStat.isReadOnly(file));
        } catch (ErrnoException e) {
            return e.errno() == Errno.ENOENT ? Optional.empty() : Optional.of(false);
        }
    }

    /** Returns whether a folder has a file that is neither hidden nor a leftover. */
    static boolean hasEntries(String path, MachineFacts machine) {
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(Path.of(path))) {
            for (Path entry : entries) {
                if (!isHiddenOrLeftover(String.valueOf(entry.getFileName()))) {
                    return true;
                }
            }
            return false;
        } catch (NoSuchFileException | NotDirectoryException e) {
            return false;
        } catch (IOException | DirectoryIteratorException e) {
            return true; // it may have some
        }
    }

    private static boolean isHiddenOrLeftover(String name) {
        return name.startsWith(".")
                || name.endsWith("~")
                || LEFTOVERS.contains(name)
                || LEFTOVER_ENDINGS.contains(name.substring(name.lastIndexOf('.') + 1));
    }

    static boolean hasContent(String path, MachineFacts machine) throws IOException {
        Path file = Path.of(path);
        return Files.isRegularFile(file) && Files.size(file) > 0;
    }

    static boolean isExecutable(String path, MachineFacts machine) throws IOException {
        Path file = Path.of(path);
        if (!Files.isRegularFile(file)) {
            return false;
        }
        Set<PosixFilePermission> mode = Files.getPosixFilePermissions(file);
        return mode.contains(PosixFilePermission.OWNER_EXECUTE)
                || mode.contains(PosixFilePermission.GROUP_EXECUTE)
                || mode.contains(PosixFilePermission.OTHERS_EXECUTE);
    }

    /**
     * Returns whether {@code /usr} was changed after a folder was last updated, which the time of
     * its file {@code .updated} says. In doubt it needs an update; a read-only folder never does.
     */
    static boolean needsUpdate(String path, MachineFacts machine) {
        Optional<Boolean> forced =
                machine.host().switchOnCommandLine("systemd.condition_needs_update");
        if (forced.isPresent()) {
            return forced.get();
        }
        if (machine.has("/etc/initrd-release") || isReadOnly(path).orElse(false)) {
            return false;
        }
        Path stamp = Path.of(path, ".updated");
        try {
            long usr = nanos(machine.path("/usr"));
            long updated = nanos(stamp);
            boolean coarse = updated % NANOS_PER_SECOND == 0 && usr % NANOS_PER_SECOND != 0;
            if (usr / NANOS_PER_SECOND == updated / NANOS_PER_SECOND && coarse) {
                updated = Scalars.parseUnsigned(noted(stamp)); // the file system has no nanoseconds
            }
            return usr > updated;
        } catch (IOException | IllegalArgumentException e) {
            return true;
        }
    }

    private static long nanos(Path path) throws IOException {
        FileTime time = Files.getLastModifiedTime(path, LinkOption.NOFOLLOW_LINKS);
        return time.to(TimeUnit.NANOSECONDS);
    }

    private static String noted(Path stamp) throws IOException {
        return EnvironmentFile.parse(Files.readString(stamp)).getOrDefault("TIMESTAMP_NSEC", "");
    }
}
