package io.holdfast.manager.catalog;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.sys.SysStat;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitIndex;
import io.holdfast.manager.unit.file.UnitLoader;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.install.PropertyFiles;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * The files of units that are made at run time, in a folder of the manager: such a unit is read
 * like any other, and administrators can see its definition. A file exists for as long as its unit
 * is loaded. Blocking; safe for use by several threads.
 */
public final class TransientFiles {
    private static final String FOLDER = "transient";
    private static final String DROP_INS = ".d";
    private static final int MODE = 0644;
    private static final int FOLDER_MODE = 0755;

    private final Path runtimeDirectory;
    private final Set<UnitName> names = ConcurrentHashMap.newKeySet();

    /**
     * @param runtimeDirectory the parent of the folder of these files
     */
    public TransientFiles(Path runtimeDirectory) {
        this.runtimeDirectory = runtimeDirectory.toAbsolutePath();
    }

    /** Returns the folder, which need not exist yet. */
    public Path folder() {
        return runtimeDirectory.resolve(FOLDER);
    }

    /** Returns whether a unit was made at run time, and is loaded. */
    public boolean has(UnitName name) {
        return names.contains(name);
    }

    /**
     * Writes the file of a unit. Only its maker reads the file before it is {@linkplain #publish
     * published}.
     *
     * @throws ErrnoException ENOSPC and others
     */
    public void write(UnitName name, String text) {
        try (TrustedFolder runtime = TrustedFolder.make(runtimeDirectory);
                TrustedFolder folder = runtime.child(FOLDER, FOLDER_MODE)) {
            folder.write(name.text(), MODE, text.getBytes(UTF_8));
        }
    }

    /** Makes the file of a unit visible: from now on the unit is found by it. */
    public void publish(UnitName name) {
        names.add(name);
    }

    /** Hides the file of a unit again. Returns false if it was not published. */
    public boolean withdraw(UnitName name) {
        return names.remove(name);
    }

    /** Removes the file of a withdrawn unit and the drop-ins of its properties, if they exist. */
    public void remove(UnitName name) {
        try (TrustedFolder folder = TrustedFolder.open(folder())) {
            removeFile(folder, name.text());
            removeDropIns(folder, name + DROP_INS);
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT) { // the folder is gone, and so are its files
                throw e;
            }
        }
    }

    private static void removeFile(TrustedFolder folder, String file) {
        int r = SysStat.unlinkat(folder.fd(), file);
        if (r < 0 && r != -Errno.ENOENT) {
            throw new ErrnoException("unlink", folder.path().resolve(file).toString(), -r);
        }
    }

    /** Removes what {@link PropertyFiles} has written; drop-ins of others stay. */
    private static void removeDropIns(TrustedFolder folder, String name) {
        if (!Files.isDirectory(folder.path().resolve(name), LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (TrustedFolder dropIns = folder.child(name, FOLDER_MODE)) {
            for (Path file : UnitIndex.list(dropIns.path())) {
                if (PropertyFiles.isName(String.valueOf(file.getFileName()))) {
                    removeFile(dropIns, String.valueOf(file.getFileName()));
                }
            }
        }
        int _ = SysStat.rmdirat(folder.fd(), name); // if it is empty now
    }

    /** Publishes all files in the folder: they are those of a killed manager. */
    public void restore() {
        String[] files = folder().toFile().list();
        for (String file : files == null ? new String[0] : files) {
            UnitName.parse(file).ifPresent(this::publish);
        }
    }

    /** Removes all files, including those of a killed manager, and their folder. */
    public void clear() {
        names.clear();
        try (TrustedFolder folder = TrustedFolder.open(folder())) {
            for (Path file : UnitIndex.list(folder.path())) {
                clear(folder, String.valueOf(file.getFileName()));
            }
        } catch (ErrnoException e) {
            // it is missing, or is not ours: none of its files is read
        }
        boolean _ = folder().toFile().delete(); // drop-ins of others stay
    }

    private static void clear(TrustedFolder folder, String name) {
        try {
            if (name.endsWith(DROP_INS)) {
                removeDropIns(folder, name);
            } else {
                removeFile(folder, name);
            }
        } catch (ErrnoException e) {
            // not removable: it belongs to no unit, and is not read
        }
    }

    /** Returns where unit files are found, including those of units made at run time. */
    Function<UnitName, UnitSource> on(UnitLoader loader) {
        return name -> has(name) ? loader.loadTransient(name) : published(loader.load(name));
    }

    /** Hides a file that is not published. */
    private UnitSource published(UnitSource found) {
        boolean hidden =
                found.fragment().filter(file -> file.startsWith(folder())).isPresent()
                        && !has(found.name());
        return hidden ? UnitSource.notFound(found.name()) : found;
    }
}
