package io.holdfast.core.state;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.Directory;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.FileKind;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.file.TrustedFolder;
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
 * What a daemon has written down, so that the next one knows it: a file for each of its things, in
 * a folder of its own below its runtime folder, on a file system in memory. A file is replaced as a
 * whole, and so is always one or the other.
 *
 * <pre>
 *   holdfast-state 1
 *   boot 6ad3f1c2-…
 *   init 1:17
 *   … fields …
 *   end
 * </pre>
 *
 * <p>A file of another boot or of another life of this container, which {@code init} tells, one
 * that does not end so, one of a later version and one that somebody else wrote are refused, each
 * by its name; the others count. Blocking, but only for as long as such a file system takes.
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

    private static volatile @Nullable String init; // once it is known

    private final TrustedFolder folder;

    private StateFolder(TrustedFolder folder) {
        this.folder = folder;
    }

    /**
     * @param runtime the daemon's runtime folder; lent
     * @throws ErrnoException if others could write in it
     */
    public static StateFolder open(TrustedFolder runtime) {
        return new StateFolder(runtime.child(FOLDER, FOLDER_MODE));
    }

    /**
     * Writes something down, in the place of what was there.
     *
     * @param name of a file, not beginning with a dot
     * @throws ErrnoException ENOSPC and others: what was there before is there still
     */
    public void write(String name, Fields fields) {
        String text =
                "%s %d\nboot %s\ninit %s\n%s%s"
                        .formatted(HEADER, VERSION, ProcessId.currentBoot(), init(), fields, END);
        folder.write(NEW, MODE, text.getBytes(UTF_8));
        ErrnoException.check(SysStat.renameat(folder.fd(), NEW, name), "rename", name);
    }

    /** Forgets it. */
    public void remove(String name) {
        int r = SysStat.unlinkat(folder.fd(), name);
        if (r < 0 && r != -Errno.ENOENT) {
            throw new ErrnoException("unlink", folder.path().resolve(name).toString(), -r);
        }
    }

    /**
     * Everything that is written down.
     *
     * @param refused told the name of each file that does not count, and why
     */
    public Map<String, Fields> read(BiConsumer<String, String> refused) {
        Map<String, Fields> all = new LinkedHashMap<>();
        try (Directory directory = Directory.open(folder.path().toString())) {
            for (String name : directory.names(MOST_FILES)) {
                if (name.startsWith(".")) {
                    continue; // one that was being written
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
     * PID 1 as seen from here: nothing outlives it, but for files. Before Linux 6.9 it has no name
     * of its own, and what a container has written is believed when that is started again.
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
     * @throws IllegalArgumentException why the text does not count
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
     * Removes the folder of a runtime folder with all that is in it.
     *
     * @param runtime nothing if it is gone
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
