package io.holdfast.journal;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.FileStatus;
import io.holdfast.core.sys.SysStat;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * The files of a reader: fixed ones, or those in folders.
 *
 * @param paths the files or folders
 * @param mayGrow whether these are folders
 */
record JournalFiles(List<Path> paths, boolean mayGrow) {
    static JournalFiles of(Collection<Path> files) {
        return new JournalFiles(List.copyOf(files), false);
    }

    static JournalFiles in(Collection<Path> folders) {
        return new JournalFiles(List.copyOf(folders), true);
    }

    static boolean isJournal(String name) {
        return name.endsWith(".journal") || name.endsWith(".journal~");
    }

    /** Returns whether a name in a folder of journals is of a file or of a machine's folder. */
    static boolean isJournalOrMachine(String name) {
        return isJournal(name) || isMachine(name);
    }

    /** Lists the files that are there now. */
    List<Path> paths(Consumer<JournalException> problems) {
        if (!mayGrow) {
            return paths;
        }
        List<Path> found = new ArrayList<>();
        for (Path folder : folders(problems)) {
            list(
                    folder,
                    problems,
                    file -> {
                        if (isJournal(String.valueOf(file.getFileName()))) {
                            found.add(file);
                        }
                    });
        }
        return found;
    }

    /** Returns the folders and the subfolders that are named like a machine. */
    private List<Path> folders(Consumer<JournalException> problems) {
        List<Path> folders = new ArrayList<>();
        for (Path folder : paths) {
            folders.add(folder);
            list(
                    folder,
                    problems,
                    file -> {
                        if (isMachine(String.valueOf(file.getFileName()))
                                && Files.isDirectory(file)) {
                            folders.add(file);
                        }
                    });
        }
        return folders;
    }

    private static boolean isMachine(String name) {
        return name.matches("[0-9a-f]{32}");
    }

    private static void list(
            Path folder, Consumer<JournalException> problems, Consumer<Path> each) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            files.forEach(each);
        } catch (NoSuchFileException | NotDirectoryException e) {
            // it may appear later
        } catch (IOException | DirectoryIteratorException e) {
            problems.accept(new JournalException(folder, "the folder cannot be read", e));
        }
    }

    /** Returns whether a path is none of the files that are open, which may have been renamed. */
    boolean isNew(Path path, List<FileCursor> open) throws JournalException {
        FileStatus status;
        try {
            status = SysStat.stat(path.toString());
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ENOENT) {
                return false; // rotated meanwhile
            }
            throw new JournalException(path, "stat failed", e);
        }
        return open.stream().noneMatch(cursor -> cursor.file.isSameFile(status));
    }

    /** Returns the folders whose changes matter. */
    Set<Path> watched() {
        return mayGrow
                ? Set.copyOf(folders(_ -> {}))
                : paths.stream().map(JournalFiles::parent).collect(Collectors.toSet());
    }

    private static Path parent(Path file) {
        Path parent = file.toAbsolutePath().getParent();
        return parent == null ? file : parent;
    }

    @Override
    public String toString() {
        return paths.toString();
    }
}
