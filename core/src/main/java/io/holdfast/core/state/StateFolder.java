package io.holdfast.core.state;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.FileKind;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The state that a daemon saves for its successor: one file per object, in a folder of its own
 * below its runtime folder, on a file system in memory. A file is replaced atomically: it always
 * has either the old or the new content.
 *
 * <pre>
 *   holdfast-state 1
 *   boot 6ad3f1c2-…
 *   init 1:17
 *   … fields …
 *   end
 * </pre>
 *
 * <p>A file is refused if it is of another boot, of an earlier run of this container (by {@code
 * init}), of another version, truncated, or owned by another user. The other files are read all the
 * same. The methods block, but only as long as a file system in memory takes.
 */
public final class StateFolder implements AutoCloseable {
    private static final String FOLDER = "state";
    private static final int FOLDER_MODE = 0700;
    private static final int MODE = 0600;
    private static final int MOST_FILES = 100_000;
    private static final int MOST_BYTES = 1 << 20;
    private static final String NEW = ".new";

    private static final String HEADER = "holdfast-state";
    private static final int VERSION = 1;
    private static final String END = "end\n";

    private static volatile @Nullable String init; // cached by init()

    private final TrustedFolder folder;

    private StateFolder(TrustedFolder folder) {
        this.folder = folder;
    }

    /**
     * Opens the folder, and makes it if it is missing.
     *
     * @param runtime the daemon's runtime folder; lent
     * @throws ErrnoException if another user could write in it
     */
    public static StateFolder open(TrustedFolder runtime) {
        return new StateFolder(runtime.child(FOLDER, FOLDER_MODE));
    }

    /**
     * Writes a file, and replaces an old one of that name.
     *
     * @param name the name of the file, not beginning with a dot
     * @throws ErrnoException ENOSPC and others: the old file is unchanged
     */
    public void write(String name, Fields fields) {
        String text =
                HEADER
                        + (" " + VERSION)
                        + ("\nboot " + ProcessId.currentBoot())
                        + ("\ninit " + init() + "\n")
                        + fields
                        + END;
        folder.write(NEW, MODE, text.getBytes(UTF_8));
        ErrnoException.check(SysStat.renameat(folder.fd(), NEW, name), "rename", name);
    }

    /** Removes a file. Does nothing if it is missing. */
    public void remove(String name) {
        int r = SysStat.unlinkat(folder.fd(), name);
        if (r < 0 && r != -Errno.ENOENT) {
            throw new ErrnoException("unlink", folder.path().resolve(name).toString(), -r);
        }
    }

    /**
     * Reads all files.
     *
     * @param refused called with the name of each refused file and the reason
     */
    public Map<String, Fields> read(BiConsumer<String, String> refused) {
        Map<String, Fields> all = new LinkedHashMap<>();
        try (Directory directory = Directory.open(folder.path().toString())) {
            for (String name : directory.names(MOST_FILES)) {
                if (name.startsWith(".")) {
                    continue; // a temporary file of an interrupted write
                }
                try {
                    all.put(name, parse(read(directory, name)));
                } catch (FileException | IllegalArgumentException e) {
                    refused.accept(name, String.valueOf(e.getMessage()));
                }
            }
        } catch (FileException e) {
            throw e.asErrno("open", folder.path().toString());
        }
        return all;
    }

    /**
     * The identity of PID 1 of our PID namespace: only files outlive it. Before Linux 6.9 it has no
     * unique identity, so a container's files are accepted even after a restart of the container.
     */
    private static String init() {
        String known = init;
        if (known == null) {
            try (PidFd opened = PidFd.open(1)) {
                known = opened.processId().inThisBoot().toString();
            }
            init = known;
        }
        return known;
    }

    private static String read(Directory directory, String name) throws FileException {
        try (OpenedFile file = directory.open(name, OpenHow.reading().kinds(FileKind.REGULAR))) {
            if (file.stat().uid() != Unistd.geteuid()) {
                throw new IllegalArgumentException("user " + file.stat().uid() + " wrote it");
            }
            return new String(file.readAll(MOST_BYTES), UTF_8);
        }
    }

    /**
     * @throws IllegalArgumentException if the file is refused; the message is the reason
     */
    static Fields parse(String text) {
        if (!text.endsWith("\n" + END)) {
            throw new IllegalArgumentException("it is cut off");
        }
        Fields fields = Fields.parse(text.substring(0, text.length() - END.length()));
        long version = fields.number(HEADER);
        if (version != VERSION) {
            throw new IllegalArgumentException(
                    "version %d is not known here, only %d".formatted(version, VERSION));
        }
        String boot = fields.text("boot");
        if (!boot.equals(ProcessId.currentBoot().toString())) {
            throw new IllegalArgumentException("it is of another boot: " + boot);
        }
        String init = fields.find("init").orElse("");
        if (!init.equals(init())) {
            throw new IllegalArgumentException(
                    "it is of a container that has ended, with the init " + init);
        }
        return fields;
    }

    /**
     * Removes the state folder of a runtime folder with all its files. Does nothing if it is
     * missing.
     */
    public static void remove(Path runtime) {
        Path path = runtime.resolve(FOLDER);
        if (Files.exists(path)) {
            try (TrustedFolder folder = TrustedFolder.open(path)) {
                String[] names = path.toFile().list();
                for (String name : names == null ? new String[0] : names) {
                    int _ = SysStat.unlinkat(folder.fd(), name);
                }
            }
            boolean _ = path.toFile().delete();
        }
    }

    @Override
    public void close() {
        folder.close();
    }
}
