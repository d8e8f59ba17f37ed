package io.holdfast.manager;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.SysStat;
import io.holdfast.manager.unit.ExecDirectory;
import io.holdfast.manager.unit.ExecSettings;
import io.holdfast.manager.unit.ManagerScope;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The folders of {@code RuntimeDirectory=} and its kin. They are made, and given to the service's
 * user, through open folders and without following a link: below a folder that is the user's own
 * already, nothing that he has put there leads elsewhere. Blocking; called off the loop.
 */
final class ExecDirectories {
    private static final int FOLDER = Fcntl.O_RDONLY | Fcntl.O_DIRECTORY | Fcntl.O_NOFOLLOW;
    private static final int PARENT_MODE = 0755;

    private ExecDirectories() {}

    /**
     * Makes the folders that are wanted.
     *
     * @param account who is to own them, ours if empty; the configuration stays ours in any case
     * @return the variables that tell the service where they are
     * @throws ErrnoException ELOOP or ENOTDIR if something else is in the way, EACCES
     * @throws IOException if a link cannot be made
     */
    static Map<String, String> create(
            ExecSettings settings, ManagerScope scope, Optional<Accounts.Account> account)
            throws IOException {
        Map<String, String> variables = new LinkedHashMap<>();
        for (ExecDirectory directory : settings.directories().values()) {
            String root = directory.kind().root(scope);
            boolean own = directory.kind() != ExecDirectory.Kind.CONFIGURATION;
            List<String> paths = new ArrayList<>();
            for (ExecDirectory.Entry entry : directory.paths()) {
                create(root, entry.path(), directory.mode(), own ? account : Optional.empty());
                for (String link : entry.links()) {
                    link(Path.of(root, link), Path.of(root, entry.path()));
                }
                paths.add(root + "/" + entry.path());
            }
            variables.put(directory.kind().variable(), String.join(":", paths));
        }
        return variables;
    }

    private static void create(String root, String path, int mode, Optional<Accounts.Account> owner)
            throws IOException {
        Path ignored = Files.createDirectories(Path.of(root));
        Fd folder = Fcntl.open(root, Fcntl.O_RDONLY | Fcntl.O_DIRECTORY);
        try {
            for (String name : path.split("/")) {
                Fd inner = step(folder, name, root + "/" + path);
                folder.close();
                folder = inner;
            }
            if (owner.isPresent()) {
                int r = SysStat.fchown(folder, owner.get().uid(), owner.get().gid());
                ErrnoException.check(r, "chown", root + "/" + path);
            }
            ErrnoException.check(SysStat.fchmod(folder, mode), "chmod", root + "/" + path);
        } finally {
            folder.close();
        }
    }

    private static Fd step(Fd folder, String name, String path) {
        int r = SysStat.mkdirat(folder, name, PARENT_MODE);
        if (r < 0 && r != -Errno.EEXIST) {
            throw new ErrnoException("mkdir", path, -r);
        }
        try {
            return Fcntl.open(folder, name, FOLDER, 0);
        } catch (ErrnoException e) {
            throw new ErrnoException(
                    "open", path, e.errno(), name + " is in the way: it is no folder, or a link");
        }
    }

    private static void link(Path link, Path target) throws IOException {
        if (!Files.exists(link, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
            Path parent = link.getParent();
            if (parent != null) {
                Path ignored = Files.createDirectories(parent);
            }
            Path ignored = Files.createSymbolicLink(link, target);
        }
    }

    /**
     * Removes the runtime folders after a run, unless they are to stay. Links in them are not
     * followed.
     */
    static void removeRuntime(ExecSettings settings, ManagerScope scope) {
        ExecDirectory runtime = settings.directories().get(ExecDirectory.Kind.RUNTIME);
        if (runtime == null || settings.preserveRuntimeDirectory() != ExecSettings.Preserve.NO) {
            return;
        }
        for (ExecDirectory.Entry entry : runtime.paths()) {
            Path folder = Path.of(runtime.kind().root(scope), entry.path());
            if (Files.isDirectory(folder, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
                remove(folder);
            }
        }
    }

    /** The processes of the service are gone: nobody moves things about any more. */
    private static void remove(Path folder) {
        try {
            Path ignored =
                    Files.walkFileTree(
                            folder,
                            new SimpleFileVisitor<>() {
                                @Override
                                public FileVisitResult visitFile(
                                        Path file, BasicFileAttributes attributes)
                                        throws IOException {
                                    Files.delete(file);
                                    return FileVisitResult.CONTINUE;
                                }

                                @Override
                                public FileVisitResult postVisitDirectory(
                                        Path directory,
                                        @org.jspecify.annotations.Nullable IOException failure)
                                        throws IOException {
                                    if (failure != null) {
                                        throw failure;
                                    }
                                    Files.delete(directory);
                                    return FileVisitResult.CONTINUE;
                                }
                            });
        } catch (IOException e) {
            throw new UncheckedIOException("cannot remove " + new File(folder.toString()), e);
        }
    }
}
