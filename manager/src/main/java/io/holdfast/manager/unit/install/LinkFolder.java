package io.holdfast.manager.unit.install;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.file.folder.TrustedFolder;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.FileRoot;
import io.holdfast.manager.unit.file.UnitIndex;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The folder in which links enable and mask units. It and its subfolders are {@linkplain
 * TrustedFolder trusted}: another user cannot redirect a link that is made here, nor choose a file
 * that is replaced or removed. Blocking.
 */
final class LinkFolder {
    private static final int PUBLIC = 0755;
    private static final int MAX_LINKS = 40; // as the kernel

    private final InstallFolders folders;
    private final Path folder;
    private final List<InstallChange> changes;
    private final boolean isTrial;

    /**
     * @param folder the folder, which may be missing
     * @param changes receives what is done
     */
    LinkFolder(InstallFolders folders, Path folder, List<InstallChange> changes) {
        this(folders, folder, changes, false);
    }

    private LinkFolder(
            InstallFolders folders, Path folder, List<InstallChange> changes, boolean isTrial) {
        this.folders = folders;
        this.folder = folders.path().root().followInside(folder);
        this.changes = changes;
        this.isTrial = isTrial;
    }

    /**
     * Creates a folder whose links are not removed.
     *
     * @param changes receives what would be done
     */
    static LinkFolder trial(InstallFolders folders, Path folder, List<InstallChange> changes) {
        return new LinkFolder(folders, folder, changes, true);
    }

    // ---- making links

    /** Makes a link in the folder itself. */
    void link(String name, Path target, boolean replaces) {
        try (TrustedFolder top = TrustedFolder.make(folder)) {
            link(top, name, target, replaces);
        } catch (ErrnoException e) {
            throw failed(e);
        }
    }

    /** Returns where a link of this name is made. */
    Path place(String name) {
        return folder.resolve(name);
    }

    /** Returns whether there is a link of this name that leads to no file. */
    boolean isDangling(String name) {
        Path link = folder.resolve(name);
        return Files.isSymbolicLink(link)
                && !Files.exists(folders.path().root().followInside(end(link)));
    }

    /** Makes a link in a subfolder, such as {@code multi-user.target.wants}. */
    void link(String subfolder, String name, Path target) {
        try (TrustedFolder top = TrustedFolder.make(folder);
                TrustedFolder in = top.child(subfolder, PUBLIC)) {
            link(in, name, target, true);
        } catch (ErrnoException e) {
            throw failed(e);
        }
    }

    private void link(TrustedFolder in, String name, Path target, boolean replaces) {
        Path shown = in.path().resolve(name);
        String text = folders.asInside(target).toString();
        int r = SysStat.symlinkat(text, in.fd(), name);
        if (r == -Errno.EEXIST) {
            replace(in, name, target, replaces);
            return;
        }
        ErrnoException.check(r, "symlink", shown);
        changes.add(InstallChange.made(shown.toString(), text));
    }

    private void replace(TrustedFolder in, String name, Path target, boolean replaces) {
        Path shown = in.path().resolve(name);
        String present = target(in, name);
        if (leadsTo(shown, present, target)) {
            return;
        }
        if (!replaces) {
            throw exists(shown, " and is a symlink to " + present);
        }
        String text = folders.asInside(target).toString();
        String temporary = ".#" + Long.toHexString(ThreadLocalRandom.current().nextLong());
        ErrnoException.check(SysStat.symlinkat(text, in.fd(), temporary), "symlink", shown);
        int r = SysStat.renameat(in.fd(), temporary, name);
        if (r < 0) {
            int _ = SysStat.unlinkat(in.fd(), temporary);
            throw new ErrnoException("rename", shown.toString(), -r);
        }
        changes.add(InstallChange.removed(shown.toString()));
        changes.add(InstallChange.made(shown.toString(), text));
    }

    private static String target(TrustedFolder in, String name) {
        try {
            return Unistd.readlinkat(in.fd(), name);
        } catch (ErrnoException e) {
            throw e.errno() == Errno.EINVAL ? exists(in.path().resolve(name), "") : e;
        }
    }

    private static InstallException exists(Path file, String more) {
        return new InstallException(
                InstallException.Reason.EXISTS, "File '" + file + "' already exists" + more);
    }

    /** Returns whether a link leads to a file, possibly by another path. */
    private boolean leadsTo(Path link, String text, Path target) {
        Path present = absolute(link, text);
        return present.equals(target) || real(present).equals(real(target));
    }

    private Path absolute(Path link, String text) {
        Path target = Path.of(text);
        FileRoot root = folders.path().root();
        return target.isAbsolute()
                ? root.place(target.normalize())
                : link.resolveSibling(target).normalize();
    }

    private Path real(Path file) {
        try {
            return folders.path().root().followInside(file).toRealPath();
        } catch (IOException e) {
            return file;
        }
    }

    // ---- removing links

    /**
     * Removes the links of these names, those of instances of these templates, and those that lead
     * to one of these names or paths; then those that lead to a removed link.
     *
     * @param marks names, and absolute paths as the system has them; removed links are added
     */
    void remove(Set<String> marks) {
        if (!Files.isDirectory(folder)) {
            return;
        }
        try (TrustedFolder top = TrustedFolder.open(folder)) {
            int known;
            do {
                known = marks.size();
                remove(top, marks);
                for (Path entry : UnitIndex.list(top.path())) {
                    removeIn(top, entry, marks);
                }
            } while (marks.size() > known);
        } catch (ErrnoException e) {
            throw failed(e);
        }
    }

    private void removeIn(TrustedFolder top, Path entry, Set<String> marks) {
        String name = String.valueOf(entry.getFileName());
        boolean isOfLinks =
                name.endsWith(".wants") || name.endsWith(".requires") || name.endsWith(".upholds");
        if (!isOfLinks || !Files.isDirectory(entry, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        boolean isChanged;
        try (TrustedFolder in = top.child(name, PUBLIC)) {
            isChanged = remove(in, marks);
        }
        if (isChanged) {
            int _ = SysStat.rmdirat(top.fd(), name); // if it is empty now
        }
    }

    private boolean remove(TrustedFolder in, Set<String> marks) {
        boolean isChanged = false;
        for (Path link : UnitIndex.list(in.path())) {
            if (Files.isSymbolicLink(link) && isMarked(link, marks)) {
                if (isTrial) {
                    addOnce(link);
                    marks.add(folders.asInside(link).toString());
                } else {
                    unlink(in, link, marks);
                }
                isChanged = !isTrial;
            }
        }
        return isChanged;
    }

    private void addOnce(Path link) {
        InstallChange change = InstallChange.removed(link.toString());
        if (!changes.contains(change)) {
            changes.add(change);
        }
    }

    private void unlink(TrustedFolder in, Path link, Set<String> marks) {
        int r = SysStat.unlinkat(in.fd(), String.valueOf(link.getFileName()));
        if (r != -Errno.ENOENT) {
            ErrnoException.check(r, "unlink", link);
            changes.add(InstallChange.removed(link.toString()));
        }
        marks.add(folders.asInside(link).toString());
    }

    private boolean isMarked(Path link, Set<String> marks) {
        UnitName name = UnitName.parse(String.valueOf(link.getFileName())).orElse(null);
        if (name == null) {
            return false;
        }
        Path end = end(link);
        return marks.contains(name.text())
                || name.template().filter(template -> marks.contains(template.text())).isPresent()
                || marks.contains(folders.asInside(end).toString())
                || marks.contains(String.valueOf(end.getFileName()));
    }

    /** Follows a link, and links to which it leads. */
    private Path end(Path link) {
        Path at = link;
        for (int links = 0; links < MAX_LINKS && Files.isSymbolicLink(at); links++) {
            try {
                at = absolute(at, Files.readSymbolicLink(at).toString());
            } catch (IOException e) {
                return at; // removed meanwhile
            }
        }
        return at;
    }

    /** Removes a file or a link of the folder. */
    void removeFile(String name, Set<String> marks) {
        try (TrustedFolder top = TrustedFolder.open(folder)) {
            unlink(top, folder.resolve(name), marks);
        } catch (ErrnoException e) {
            throw failed(e);
        }
    }

    /** Removes a subfolder with the files in it. */
    void removeFolder(String name) {
        Path shown = folder.resolve(name);
        try (TrustedFolder top = TrustedFolder.open(folder)) {
            try (TrustedFolder in = top.child(name, PUBLIC)) {
                for (Path file : UnitIndex.list(in.path())) {
                    String entry = String.valueOf(file.getFileName());
                    ErrnoException.check(SysStat.unlinkat(in.fd(), entry), "unlink", file);
                    changes.add(InstallChange.removed(file.toString()));
                }
            }
            ErrnoException.check(SysStat.rmdirat(top.fd(), name), "rmdir", shown);
            changes.add(InstallChange.removed(shown.toString()));
        } catch (ErrnoException e) {
            throw failed(e);
        }
    }

    /** Removes what masks a unit: a link to {@code /dev/null} or an empty file. */
    void unmask(UnitName unit, Set<String> marks) {
        Path file = folder.resolve(unit.text());
        if (!isMask(file)) {
            return;
        }
        try (TrustedFolder top = TrustedFolder.open(folder)) {
            unlink(top, file, marks);
        } catch (ErrnoException e) {
            throw failed(e);
        }
    }

    private boolean isMask(Path file) {
        try {
            return Files.isSymbolicLink(file)
                    ? folders.asInside(end(file)).equals(Path.of("/dev/null"))
                    : Files.isRegularFile(file) && Files.size(file) == 0;
        } catch (IOException e) {
            return false; // removed meanwhile
        }
    }

    private static InstallException failed(ErrnoException e) {
        return new InstallException(
                InstallException.Reason.FILE_SYSTEM, String.valueOf(e.getMessage()), e);
    }
}
