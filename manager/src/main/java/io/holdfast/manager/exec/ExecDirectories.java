package io.holdfast.manager.exec;

import io.holdfast.core.Errno;
import io.holdfast.core.FileStatus;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.folder.Directory;
import io.holdfast.core.file.folder.TreeRemoval;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.value.ExecDirectory;
import io.holdfast.manager.unit.value.ExecDirectory.Entry;
import io.holdfast.manager.unit.value.ExecDirectory.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Makes and removes the folders of a service ({@code RuntimeDirectory=} and the like).
 *
 * <p>The service's user may write into some of these folders, and we are root: below the kind's
 * root each step is taken relative to the open folder before it and follows no symbolic link, so
 * that nothing outside can be made, given away or removed. Blocking.
 */
final class ExecDirectories {
    /** A user or group that is not to be changed. */
    static final long UNCHANGED = -1;

    private static final int PARENT_MODE = 0755;
    private static final int FRESH_MODE = 0700; // until its owner is set

    private final ExecSettings settings;
    private final ManagerScope scope;

    ExecDirectories(ExecSettings settings, ManagerScope scope) {
        this.settings = settings;
        this.scope = scope;
    }

    /**
     * Makes all folders that are missing. The innermost folder of each path gets the mode and the
     * owner. A configuration folder never changes its owner, and keeps its mode if it exists
     * already. The content of a folder keeps its owner, but for that of a dynamic user, who may
     * have another number each time.
     *
     * @param uid of the innermost folders, or {@link #UNCHANGED}
     * @param gid likewise
     * @return the environment variables that hold their paths
     * @throws SetupException if one cannot be made, or a symbolic link or a file is in its place
     */
    Map<String, String> create(long uid, long gid) throws SetupException {
        for (ExecDirectory directory : settings.directories().values()) {
            try {
                create(directory, directory.kind().root(scope), uid, gid);
            } catch (FileException e) {
                throw new SetupException(step(directory.kind()), e);
            }
        }
        return variables();
    }

    /** {@return the environment variables that hold the paths of the folders} */
    Map<String, String> variables() {
        Map<String, String> variables = new LinkedHashMap<>();
        for (ExecDirectory directory : settings.directories().values()) {
            String base = base(settings, directory.kind(), scope);
            variables.put(
                    directory.kind().variable(),
                    directory.paths().stream()
                            .map(entry -> base + "/" + entry.path())
                            .collect(Collectors.joining(":")));
        }
        return variables;
    }

    /** Returns the path of the folder that contains the unit's folders of a kind. */
    static String base(ExecSettings settings, Kind kind, ManagerScope scope) {
        String root = kind.root(scope);
        return settings.isPrivate(kind) ? root + "/" + PrivateDirectories.NAME : root;
    }

    /** {@return the owners of those folders that exist already} */
    List<Long> owners() {
        List<Long> owners = new ArrayList<>();
        for (ExecDirectory directory : settings.directories().values()) {
            for (Entry entry : directory.paths()) {
                String root = directory.kind().root(scope);
                owner(base(settings, directory.kind(), scope), entry).ifPresent(owners::add);
                owner(root, entry).ifPresent(owners::add); // of one that was not private
            }
        }
        return owners;
    }

    private static Optional<Long> owner(String base, Entry entry) {
        try (Directory top = Directory.open(base);
                Directory parent = parent(top, entry.path(), false)) {
            return parent.stat(Directory.nameOf(entry.path())).map(FileStatus::uid);
        } catch (FileException e) {
            return Optional.empty(); // not there yet
        }
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

    private void create(ExecDirectory directory, String root, long uid, long gid)
            throws FileException {
        boolean isPrivate = settings.isPrivate(directory.kind());
        try (Directory top = Directory.make(root, PARENT_MODE)) {
            for (Entry entry : directory.paths()) {
                if (isPrivate) {
                    boolean linked = directory.isOutermost(entry);
                    try (Directory base = PrivateDirectories.open(top)) {
                        if (linked) {
                            PrivateDirectories.moveInto(base, top, entry.path());
                        }
                        create(base, directory, entry.path(), uid, gid);
                    }
                    if (linked) {
                        link(top, entry.path(), PrivateDirectories.NAME + "/" + entry.path());
                    }
                } else {
                    PrivateDirectories.moveOut(top, entry.path(), uid, gid);
                    create(top, directory, entry.path(), uid, gid);
                }
                for (String link : entry.links()) {
                    link(top, link, entry.path());
                }
            }
        }
    }

    private void create(Directory top, ExecDirectory directory, String path, long uid, long gid)
            throws FileException {
        boolean configuration = directory.kind() == Kind.CONFIGURATION;
        String name = Directory.nameOf(path);
        try (Directory parent = parent(top, path, true)) {
            boolean made = parent.makeDirectory(name, FRESH_MODE);
            try (Directory folder = parent.enter(name)) {
                if (settings.dynamicUser() && !configuration) {
                    TreeOwnership.set(folder, uid, gid);
                    folder.chmod(directory.mode());
                } else if (made || !configuration) {
                    own(folder, configuration ? UNCHANGED : uid, configuration ? UNCHANGED : gid);
                    folder.chmod(directory.mode());
                }
            }
        }
    }

    private static void own(Directory folder, long uid, long gid) throws FileException {
        FileStatus stat = folder.stat();
        boolean differs =
                (uid != UNCHANGED && uid != stat.uid()) || (gid != UNCHANGED && gid != stat.gid());
        if (differs) {
            folder.chown(uid, gid);
        }
    }

    /** Opens the parent folder of a path's last name. */
    static Directory parent(Directory top, String path, boolean create) throws FileException {
        String[] names = path.split("/");
        Directory at = top.duplicate();
        for (int i = 0; i < names.length - 1; i++) {
            try (Directory before = at) {
                boolean made = create && before.makeDirectory(names[i], FRESH_MODE);
                at = before.enter(names[i]);
                if (made) {
                    openUp(at);
                }
            }
        }
        return at;
    }

    /** Lets every user pass an intermediate folder that we have made. */
    private static void openUp(Directory made) throws FileException {
        try {
            made.chmod(PARENT_MODE);
        } catch (FileException e) {
            made.close();
            throw e;
        }
    }

    /** Makes a relative link to a folder below the same root. */
    private static void link(Directory top, String link, String path) throws FileException {
        String target = targetOf(link, path);
        String name = Directory.nameOf(link);
        try (Directory parent = parent(top, link, true)) {
            if (!parent.link(name, target) && !isLink(parent, name, target)) {
                throw FileException.refusal(
                        top.path() + "/" + link,
                        "does not lead to " + path,
                        Errno.EEXIST,
                        "remove the existing file");
            }
        }
    }

    static String targetOf(String link, String path) {
        return "../".repeat(link.split("/").length - 1) + path;
    }

    static boolean isLink(Directory parent, String name, String target) {
        return parent.linkTarget(name).equals(Optional.of(target));
    }

    /**
     * Removes the runtime folders with their content, and the links to them, after the service has
     * ended.
     *
     * @param restarting whether it is started again at once
     * @throws FileException if something could not be removed; all else was
     */
    void removeRuntime(boolean restarting) throws FileException {
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
        FileException failure = null;
        try (Directory top = Directory.open(Kind.RUNTIME.root(scope));
                Directory base = Directory.open(base(settings, Kind.RUNTIME, scope))) {
            for (Entry entry : runtime.paths().reversed()) { // inner folders first
                try {
                    for (String link : entry.links()) {
                        unlink(top, link, entry.path());
                    }
                    if (settings.isPrivate(Kind.RUNTIME) && runtime.isOutermost(entry)) {
                        unlink(top, entry.path(), PrivateDirectories.NAME + "/" + entry.path());
                    }
                    try (Directory parent = parent(base, entry.path(), false)) {
                        TreeRemoval.remove(parent, Directory.nameOf(entry.path()));
                    }
                } catch (FileException e) {
                    failure = e.isMissing() || failure != null ? failure : e;
                }
            }
        } catch (FileException e) {
            failure = e.isMissing() ? null : e;
        }
        if (failure != null) {
            throw failure;
        }
    }

    /**
     * Gives root the folders of a dynamic user that are not below {@code private}, and lets nobody
     * else enter them: the user's number may belong to another service next.
     *
     * @throws FileException if one could not be given to root; all others were
     */
    void takeBack() throws FileException {
        FileException failure = null;
        for (ExecDirectory directory : settings.directories().values()) {
            Kind kind = directory.kind();
            for (Entry entry : directory.paths()) {
                if (kind != Kind.CONFIGURATION
                        && !settings.isPrivate(kind)
                        && directory.isOutermost(entry)) {
                    try {
                        takeBack(kind.root(scope), entry.path());
                    } catch (FileException e) {
                        failure = e.isMissing() ? failure : e;
                    }
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    private static void takeBack(String root, String path) throws FileException {
        try (Directory top = Directory.open(root);
                Directory parent = parent(top, path, false);
                Directory folder = parent.enter(Directory.nameOf(path))) {
            folder.chown(0, 0);
            folder.chmod(FRESH_MODE);
        }
    }

    private static void unlink(Directory top, String link, String path) throws FileException {
        String name = Directory.nameOf(link);
        try (Directory parent = parent(top, link, false)) {
            if (isLink(parent, name, targetOf(link, path))) {
                boolean _ = parent.remove(name);
            }
        } catch (FileException e) {
            if (!e.isMissing()) {
                throw e;
            }
        }
    }
}
