package io.holdfast.manager.exec;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysXattr;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.JournalSettings;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Passes the log settings of a run to the receiver of log messages, in the form that systemd has
 * for journald: in the folder {@code /run/systemd/units}, links whose targets are values, a file of
 * fields, and an attribute of the run's cgroup.
 *
 * <pre>
 *   invocation:web.service              → 686a30b81ab84e00a7e384d45b3671fa
 *   log-level-max:web.service           → 5
 *   log-rate-limit-interval:web.service → 5000000 (microseconds; 0: there is no limit)
 *   log-rate-limit-burst:web.service    → 17
 *   log-extra-fields:web.service        for each field its size as 64 bits, little endian, and NAME=value
 *   user.journald_log_filter_patterns   allowed patterns with NUL between them, 0xff, and denied ones
 * </pre>
 *
 * <p>Each file replaces the previous one atomically, since the receiver may read at any time. Only
 * the manager's user can write into the folder. Blocking.
 */
public final class JournalSettingsFiles {
    private static final String INVOCATION = "invocation:";
    private static final String LEVEL = "log-level-max:";
    private static final String INTERVAL = "log-rate-limit-interval:";
    private static final String BURST = "log-rate-limit-burst:";
    private static final String FIELDS = "log-extra-fields:";
    private static final List<String> OTHERS = List.of(LEVEL, INTERVAL, BURST, FIELDS);
    private static final String PATTERNS = "user.journald_log_filter_patterns";
    private static final Set<PosixFilePermission> FOLDER =
            PosixFilePermissions.fromString("rwxr-xr-x");
    private static final Set<PosixFilePermission> FILE =
            PosixFilePermissions.fromString("rw-r--r--");
    private static final String INFINITE = "18446744073709551615"; // UINT64_MAX

    private final Path folder;
    private final UnitName unit;
    private final String invocationId;

    /**
     * @param folder made if it is missing
     */
    public JournalSettingsFiles(Path folder, UnitName unit, String invocationId) {
        this.folder = folder;
        this.unit = unit;
        this.invocationId = invocationId;
    }

    /**
     * Writes the settings of a run that is about to begin.
     *
     * @throws IOException if a link or the file cannot be written
     * @throws ErrnoException if the patterns cannot be attached to the cgroup
     */
    public void write(JournalSettings settings, Optional<Cgroup> cgroup) throws IOException {
        if (!Files.isDirectory(folder)) {
            Files.createDirectories(folder);
            Files.setPosixFilePermissions(folder, FOLDER);
        }
        link(
                LEVEL,
                settings.levelMax().isPresent()
                        ? Integer.toString(settings.levelMax().getAsInt())
                        : "");
        link(
                INTERVAL,
                settings.rateInterval()
                        .map(span -> span.isInfinite() ? INFINITE : Long.toString(span.micros()))
                        .orElse(""));
        link(
                BURST,
                settings.rateBurst().isPresent()
                        ? Long.toString(settings.rateBurst().getAsLong())
                        : "");
        fields(settings.extraFields());
        link(INVOCATION, invocationId); // last: whoever sees it finds the settings of this run
        boolean hasPatterns =
                !settings.allowedPatterns().isEmpty() || !settings.deniedPatterns().isEmpty();
        if (hasPatterns && cgroup.isPresent()) {
            attach(cgroup.get(), patterns(settings));
        }
    }

    /** Removes what this run has written, unless another run of the unit has replaced it. */
    public void remove() throws IOException {
        Path invocation = folder.resolve(INVOCATION + unit);
        boolean isOurs =
                Files.isSymbolicLink(invocation)
                        && Files.readSymbolicLink(invocation).toString().equals(invocationId);
        if (isOurs) {
            for (String other : OTHERS) {
                boolean _ = Files.deleteIfExists(folder.resolve(other + unit));
            }
            boolean _ = Files.deleteIfExists(invocation);
        }
    }

    /** Removes the folder, unless it holds the settings of a run that has outlived its manager. */
    public static void removeFolder(Path folder) {
        boolean _ = folder.toFile().delete();
    }

    private void link(String name, String value) throws IOException {
        Path link = folder.resolve(name + unit);
        if (value.isEmpty()) {
            boolean _ = Files.deleteIfExists(link);
            return;
        }
        Path made = temporary(name);
        boolean _ = Files.deleteIfExists(made);
        Path _ = Files.createSymbolicLink(made, Path.of(value));
        Path _ = Files.move(made, link, StandardCopyOption.ATOMIC_MOVE);
    }

    private void fields(List<String> fields) throws IOException {
        Path file = folder.resolve(FIELDS + unit);
        if (fields.isEmpty()) {
            boolean _ = Files.deleteIfExists(file);
            return;
        }
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (String field : fields) {
            byte[] text = field.getBytes(UTF_8);
            content.writeBytes(
                    ByteBuffer.allocate(Long.BYTES)
                            .order(ByteOrder.LITTLE_ENDIAN)
                            .putLong(text.length)
                            .array());
            content.writeBytes(text);
        }
        Path made = temporary(FIELDS);
        Path _ = Files.write(made, content.toByteArray());
        Files.setPosixFilePermissions(made, FILE);
        Path _ = Files.move(made, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static void attach(Cgroup cgroup, byte[] patterns) {
        try (Fd opened =
                Fcntl.open(cgroup.fd(), ".", Fcntl.O_RDONLY, 0)) { // its own is only a path
            int result = SysXattr.set(opened, PATTERNS, patterns);
            ErrnoException.check(result, "fsetxattr", cgroup);
        }
    }

    private Path temporary(String name) {
        return folder.resolve(".#" + name + unit);
    }

    private static byte[] patterns(JournalSettings settings) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        all.writeBytes(String.join("\0", settings.allowedPatterns()).getBytes(UTF_8));
        all.write(0xff);
        all.writeBytes(String.join("\0", settings.deniedPatterns()).getBytes(UTF_8));
        return all.toByteArray();
    }
}
