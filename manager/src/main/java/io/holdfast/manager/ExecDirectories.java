package io.holdfast.manager;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.Fcntl;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.SysStat;
import io.holdfast.core.linux.Unistd;
import io.holdfast.manager.unit.ExecDirectory;
import io.holdfast.manager.unit.ExecDirectory.Entry;
import io.holdfast.manager.unit.ExecDirectory.Kind;
import io.holdfast.manager.unit.ExecSettings;
import io.holdfast.manager.unit.ManagerScope;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Makes and removes the folders of a service ({@code RuntimeDirectory=} and its kin).
 *
 * <p>The service's user may write into some of these folders, and we are root: below the kind's
 * root each step is taken relative to the open folder before it and follows no symbolic link, so
 * that nothing outside can be made, given away or removed. Blocking.
 */
final class ExecDirectories {
    /** For a user or group that is not to be changed. */
    static final long UNCHANGED = -1;

    private static final int FOLDER = Fcntl.O_RDONLY | Fcntl.O_DIRECTORY | Fcntl.O_NOFOLLOW;
    private static final int PARENT_MODE = 0755;
    private static final int FRESH_MODE = 0700; // until it is given to its owner

    private final ExecSettings settings;
    private final ManagerScope scope;

    ExecDirectories(ExecSettings settings, ManagerScope scope) {
        this.settings = settings;
        this.scope = scope;
    }

    /**
     * Makes all of them, where they are missing. The innermost folder of each path gets the mode,
     * and the owner but for configuration; one of configuration that is there already stays as it
     * is. What is in a folder keeps its owner.
     *
     * @param uid of the innermost folders, or {@link #UNCHANGED}
     * @param gid likewise
     * @return the variables that tell the service where they are
     * @throws SetupException if one cannot be made, or a symbolic link or a file is in its place
     */
    Map<String, String> create(long uid, long gid) throws SetupException {
        Map<String, String> variables = new LinkedHashMap<>();
        for (ExecDirectory directory : settings.directories().values()) {
            String root = directory.kind().root(scope);
            try {
                create(directory, root, uid, gid);
            } catch (ErrnoException | IOException e) {
                throw new SetupException(step(directory.kind()), e);
            }
            variables.put(
                    directory.kind().variable(),
                    directory.paths().stream()
                            .map(entry -> root + "/" + entry.path())
                            .collect(Collectors.joining(":")));
        }
        return variables;
    }

    /** Whose those folders are that are there already. */
    List<Long> owners() {
        List<Long> owners = new ArrayList<>();
        for (ExecDirectory directory : settings.directories().values()) {
            for (Entry entry : directory.paths()) {
                Path path = Path.of(directory.kind().root(scope), entry.path());
                try {
                    Object uid = Files.getAttribute(path, "unix:uid", LinkOption.NOFOLLOW_LINKS);
                    owners.add(Integer.toUnsignedLong((Integer) uid));
                } catch (IOException e) {
                    // not there yet
                }
            }
        }
        return owners;
    }

    private static SetupException.Step step(Kind kind) {
        return switch (kind) {
            case RUNTIME -> SetupException.Step.RUNTIME_DIRECTORY;
            case STATE -> SetupException.Step.STATE_DIRECTORY;
            case CACHE -> SetupException.Step.CACHE_DIRECTORY;
            case LOGS -> SetupException.Step.LOGS_DIRECTORY;
            case CONFIGURATION -> SetupException.Step.CONFIGURATION_DIRECTORY;
        };
    }

    private static void create(ExecDirectory directory, String root, long uid, long gid)
            throws IOException {
        Files.createDirectories(Path.of(root));
        try (Fd top = Fcntl.open(root, Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            for (Entry entry : directory.paths()) {
                create(top, directory, root + "/" + entry.path(), entry.path(), uid, gid);
                for (String link : entry.links()) {
                    link(top, root + "/" + link, link, entry.path());
                }
            }
        }
    }

    private static void create(
            Fd top, ExecDirectory directory, String shown, String path, long uid, long gid) {
        boolean configuration = directory.kind() == Kind.CONFIGURATION;
        try (Fd parent = parent(top, shown, path, true)) {
            String name = lastOf(path);
            boolean made = make(parent, name, shown);
            try (Fd folder = enter(parent, name, shown)) {
                if (made || !configuration) {
                    own(
                            folder,
                            shown,
                            configuration ? UNCHANGED : uid,
                            configuration ? UNCHANGED : gid);
                    check(SysStat.fchmod(folder, directory.mode()), "fchmod", shown);
                }
            }
        }
    }

    private static void own(Fd folder, String shown, long uid, long gid) {
        SysStat.Stat stat = SysStat.stat(folder);
        boolean differs =
                (uid != UNCHANGED && uid != stat.uid()) || (gid != UNCHANGED && gid != stat.gid());
        if (differs) {
            check(SysStat.fchown(folder, uid, gid), "fchown", shown);
        }
    }

    /** Opens the folder that a path's last name is in. */
    private static Fd parent(Fd top, String shown, String path, boolean create) {
        String[] names = path.split("/");
        Fd at = top.duplicate();
        for (int i = 0; i < names.length - 1; i++) {
            try (Fd before = at) {
                boolean made = create && make(before, names[i], shown);
                at = enter(before, names[i], shown);
                if (made) {
                    openUp(at, shown);
                }
            }
        }
        return at;
    }

    /** A folder that we have made on the way is everybody's to pass. */
    private static void openUp(Fd made, String shown) {
        int r = SysStat.fchmod(made, PARENT_MODE);
        if (r < 0) {
            made.close();
            throw new ErrnoException("fchmod", shown, -r);
        }
    }

    private static String lastOf(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** Whether it was not there before. */
    private static boolean make(Fd parent, String name, String shown) {
        int r = SysStat.mkdirat(parent, name, FRESH_MODE);
        if (r == -Errno.EEXIST) {
            return false;
        }
        check(r, "mkdirat", shown);
        return true;
    }

    private static Fd enter(Fd parent, String name, String shown) {
        try {
            return Fcntl.open(parent, name, FOLDER, 0);
        } catch (ErrnoException e) {
            String advice =
                    e.errno() == Errno.ENOTDIR || e.errno() == Errno.ELOOP
                            ? name + " is a file, or a symbolic link, which is not followed"
                            : null;
            throw new ErrnoException("openat", shown, e.errno(), advice);
        }
    }

    /** Makes a relative link to a folder below the same root. */
    private static void link(Fd top, String shown, String link, String path) throws IOException {
        String target = targetOf(link, path);
        String name = lastOf(link);
        try (Fd parent = parent(top, shown, link, true)) {
            if (!isLink(parent, name, target)) {
                parent.with(number -> {
                    try {
                        Path at = Path.of("/proc/self/fd/" + number, name);
                        return Files.createSymbolicLink(at, Path.of(target));
                    } catch (FileAlreadyExistsException e) {
                        throw new ErrnoException(
                                "symlinkat", shown, Errno.EEXIST, "it does not lead to " + path);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
            }
        } catch (UncheckedIOException e) {
            throw new IOException("symlinkat " + shown + ": " + e.getMessage(), e);
        }
    }

    private static String targetOf(String link, String path) {
        return "../".repeat(link.split("/").length - 1) + path;
    }

    private static boolean isLink(Fd parent, String name, String target) {
        try {
            return Unistd.readlinkat(parent, name).equals(target);
        } catch (ErrnoException e) {
            return false; // not there, or no link
        }
    }

    private static void check(int result, String call, String shown) {
        int ignored = ErrnoException.check(result, call, shown);
    }

    /**
     * Removes the runtime folders with all that is in them, and the links to them, when the service
     * has ended.
     *
     * @param restarting whether it is started again at once
     * @throws ErrnoException if something could not be removed; all else was
     */
    void removeRuntime(boolean restarting) {
        ExecDirectory runtime = settings.directories().get(Kind.RUNTIME);
        boolean preserved =
                switch (settings.preserveRuntimeDirectory()) {
                    case NO -> false;
                    case RESTART -> restarting;
                    case YES -> true;
                };
        if (runtime == null || preserved) {
            return;
        }
        String root = Kind.RUNTIME.root(scope);
        if (!Files.isDirectory(Path.of(root))) {
            return;
        }
        try (Fd top = Fcntl.open(root, Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            ErrnoException failure = null;
            for (Entry entry : runtime.paths().reversed()) { // what is inside first
                try {
                    for (String link : entry.links()) {
                        unlink(top, root + "/" + link, link, entry.path());
                    }
                    String shown = root + "/" + entry.path();
                    try (Fd parent = parent(top, shown, entry.path(), false)) {
                        TreeRemoval.remove(parent, lastOf(entry.path()), shown);
                    }
                } catch (ErrnoException e) {
                    failure = e.errno() == Errno.ENOENT || failure != null ? failure : e;
                }
            }
            if (failure != null) {
                throw failure;
            }
        }
    }

    private static void unlink(Fd top, String shown, String link, String path) {
        try (Fd parent = parent(top, shown, link, false)) {
            if (isLink(parent, lastOf(link), targetOf(link, path))) {
                check(SysStat.unlinkat(parent, lastOf(link)), "unlinkat", shown);
            }
        } catch (ErrnoException e) {
            if (e.errno() != Errno.ENOENT) {
                throw e;
            }
        }
    }
}
