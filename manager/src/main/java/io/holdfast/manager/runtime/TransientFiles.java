package io.holdfast.manager.runtime;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.sys.SysStat;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitLoader;
import io.holdfast.manager.unit.file.UnitSource;
import java.io.File;
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

    /** Removes the file of a withdrawn unit, if it exists. */
    public void remove(UnitName name) {
        removeFile(name.text());
    }

    private void removeFile(String file) {
        try (TrustedFolder folder = TrustedFolder.open(folder())) {
            int r = SysStat.unlinkat(folder.fd(), file);
            if (r < 0 && r != -Errno.ENOENT) {
                throw new ErrnoException("unlink", folder().resolve(file).toString(), -r);
            }
        }
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
        String[] files = folder().toFile().list();
        if (files != null) {
            for (String file : files) {
                try {
                    removeFile(file);
                } catch (ErrnoException e) {
                    // a folder of drop-ins, or not removable: it belongs to no unit, and is not
                    // read
                }
            }
            boolean _ = new File(folder().toString()).delete(); // drop-ins of others stay
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
