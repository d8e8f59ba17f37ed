package io.holdfast.manager.exec;

import static java.util.stream.Collectors.joining;

import io.holdfast.core.ClosedException;
import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Isolation;
import io.holdfast.core.process.MountAttribute;
import io.holdfast.core.process.MountTree;
import io.holdfast.core.process.Namespace;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysMount;
import io.holdfast.core.sys.SysStat;
import io.holdfast.manager.credential.UnitCredentials;
import io.holdfast.manager.exec.MountPlan.Kind;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.NamespaceSettings;
import io.holdfast.manager.unit.settings.NamespaceSettings.OwnCgroups;
import io.holdfast.manager.unit.settings.NamespaceSettings.PrivateUsers;
import io.holdfast.manager.unit.settings.NamespaceSettings.ProcSubset;
import io.holdfast.manager.unit.settings.NamespaceSettings.Propagation;
import io.holdfast.manager.unit.settings.NamespaceSettings.ProtectProc;
import io.holdfast.manager.unit.settings.SandboxSettings;
import io.holdfast.manager.unit.settings.SandboxSettings.Bind;
import io.holdfast.manager.unit.settings.SandboxSettings.Flag;
import io.holdfast.manager.unit.settings.SandboxSettings.PathRule;
import io.holdfast.manager.unit.settings.SandboxSettings.PrivateTmp;
import io.holdfast.manager.unit.settings.SandboxSettings.ProtectSystem;
import io.holdfast.manager.unit.settings.SandboxSettings.Temporary;
import io.holdfast.manager.unit.value.ExecDirectory;
import io.holdfast.manager.unit.value.Scalars;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The isolation of the commands of one run of a service, and the parts of it that they share: their
 * temporary folders, network and IPC. Mounts are made anew for each command, which so sees the
 * files that earlier commands have made. Needs root. Blocking.
 */
final class Sandbox implements AutoCloseable {
    private static final List<String> TEMPORARY = List.of("/tmp", "/var/tmp");
    private static final List<String> PACKAGES = List.of("/usr", "/boot", "/efi");
    private static final List<String> HOMES = List.of("/home", "/root", "/run/user");

    /** Folders that {@code ProtectSystem=strict} does not make read-only; other directives do. */
    private static final List<String> NOT_OF_THE_SYSTEM = List.of("/dev", "/proc", "/sys");

    private static final List<String> TUNABLES =
            List.of(
                    "/proc/acpi",
                    "/proc/apm",
                    "/proc/asound",
                    "/proc/bus",
                    "/proc/fs",
                    "/proc/irq",
                    "/proc/latency_stats",
                    "/proc/mtrr",
                    "/proc/scsi",
                    "/proc/sys",
                    "/proc/sysrq-trigger",
                    "/proc/timer_stats",
                    "/sys");

    private static final List<String> BASE =
            List.of("dev", "etc", "proc", "root", "run", "sys", "usr", "var");
    private static final int PUBLIC = 0755;
    private static final int OWNER_AND_GROUP = 0750;
    private static final String MODULES = "/usr/lib/modules";
    private static final List<String> KERNEL_MEMORY = List.of("/proc/kallsyms", "/proc/kcore");
    private static final long NO_DEVICES = SysMount.NO_DEVICES | SysMount.NO_SUID;

    /** Options of a tmpfs that holds only mount points. */
    private static final Map<String, String> EMPTY =
            Map.of("mode", "0755", "size", "4k", "nr_inodes", "1k");

    private static final Map<String, String> RUN =
            Map.of("mode", "0755", "size", "20%", "nr_inodes", "800k");

    private static final String PROC = "/proc";
    private static final String CGROUPS = "/sys/fs/cgroup";

    /**
     * The socket of syslog(3). Where systemd's journal runs it always exists, so units bind it
     * without a {@code -}; elsewhere syslog(3) does nothing without it.
     */
    private static final String SYSLOG = "/dev/log";

    private static final List<String> LOG_SOCKETS =
            List.of("/run/systemd/journal/socket", "/run/systemd/journal/stdout", SYSLOG);

    private final ExecSettings settings;
    private final ManagerScope scope;
    private final Optional<Path> notifySocket;
    private final Optional<Cgroup> cgroup;
    private final Inaccessible inaccessible;
    private final UnitName unit;
    private final UserAndGroups identity;
    private final SharedParts parts;
    private final List<PrivateFolder> folders = new ArrayList<>(); // lent
    private final List<Namespace> owned = new ArrayList<>();
    private @Nullable Namespace network;
    private @Nullable Namespace ipc;
    private @Nullable Namespace users;

    private Sandbox(
            ExecSettings settings,
            ManagerScope scope,
            UnitName unit,
            UserAndGroups identity,
            Execution.Surroundings surroundings,
            SharedParts parts) {
        this.parts = parts;
        this.unit = unit;
        this.identity = identity;
        this.notifySocket = surroundings.notifySocket();
        this.cgroup = surroundings.cgroup();
        this.settings = settings;
        this.scope = scope;
        this.inaccessible = Inaccessible.in(surroundings.runtimeFolder());
    }

    /**
     * Makes the parts that the commands share.
     *
     * @param identity of the commands
     * @param parts those that it shares with other units, lent
     * @param folder the name of its temporary folders, unless it joins others
     * @param before processes that an earlier manager has started, whose users are looked for
     *     first; none if it is a new run
     * @throws SetupException if a part cannot be made
     */
    static Sandbox of(
            ExecSettings settings,
            ManagerScope scope,
            UnitName unit,
            UserAndGroups identity,
            Execution.Surroundings surroundings,
            SharedParts parts,
            String folder,
            List<PidFd> before)
            throws SetupException, InterruptedException {
        Sandbox sandbox = new Sandbox(settings, scope, unit, identity, surroundings, parts);
        try {
            sandbox.share(folder, before);
            return sandbox;
        } catch (ErrnoException | FileException e) {
            sandbox.close();
            throw new SetupException(SetupException.Step.NAMESPACE, e);
        } catch (SetupException | InterruptedException e) {
            sandbox.close();
            throw e;
        }
    }

    /**
     * Returns the membership of a run that a killed manager has begun. Its processes may have
     * namespaces that are part of it.
     *
     * @param folders the name of its temporary folders; "" if it has none
     * @param locks of these folders, owned from now on
     * @param processes of the run, lent
     */
    static SharedParts.Member rejoin(
            SharedParts.Registry shared,
            ExecutedUnit unit,
            String folders,
            List<Fd> locks,
            List<PidFd> processes) {
        SandboxSettings wanted = unit.settings().sandbox();
        return shared.rejoin(
                unit.name(),
                unit.joined(),
                folders,
                locks,
                wanted.hasSharedNetwork() ? of(processes, Namespace.Kind.NET) : Optional.empty(),
                wanted.hasSharedIpc() ? of(processes, Namespace.Kind.IPC) : Optional.empty());
    }

    /** Returns the locks of its temporary folders, lent. */
    List<Fd> locks() {
        return folders.stream().map(PrivateFolder::lock).toList();
    }

    private SandboxSettings requested() {
        return settings.sandbox();
    }

    /** Returns the lines of a map of users or groups, each as it is outside. */
    private String map(OptionalLong own) {
        if (requested().namespaces().users() == PrivateUsers.IDENTITY) {
            return "0 0 65536";
        }
        long id = own.orElse(0);
        return "0 0 1\n" + (id == 0 ? "" : id + " " + id + " 1\n");
    }

    /** Returns the user namespace of the commands, lent; a command enters it last. */
    Optional<Namespace> users() {
        return Optional.ofNullable(users);
    }

    private static Namespace joined(String networkPath) throws SetupException {
        try {
            return Namespace.open(networkPath, Namespace.Kind.NET);
        } catch (ErrnoException e) {
            throw new SetupException(SetupException.Step.NETWORK, e);
        }
    }

    /** Makes the folders that every root has, as far as they are missing and can be made. */
    private static void makeBase(String root) {
        try (Fd folder = Fcntl.open(root, Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            for (String name : BASE) {
                int mode = name.equals("root") ? OWNER_AND_GROUP : PUBLIC;
                if (SysStat.mkdirat(folder, name, mode) == 0) {
                    widen(folder, name, mode);
                }
            }
        }
    }

    /** Restores the bits that the umask cleared. Its owner may have put a link there meanwhile. */
    private static void widen(Fd root, String name, int mode) {
        int flags = Fcntl.O_RDONLY | Fcntl.O_DIRECTORY | Fcntl.O_NOFOLLOW;
        try (Fd made = Fcntl.open(root, name, flags, 0)) {
            int _ = SysStat.fchmod(made, mode);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.EMFILE || e.errno() == Errno.ENFILE) {
                throw e;
            }
            // another file is there now, which stays as it is
        }
    }

    private void share(String name, List<PidFd> before)
            throws FileException, SetupException, InterruptedException {
        requested().root().map(SandboxSettings.Root::path).ifPresent(Sandbox::makeBase);
        if (requested().privateTmp() == PrivateTmp.YES) {
            for (String base : TEMPORARY) {
                if (Files.isDirectory(Path.of(base))) {
                    folders.add(parts.folder(base, name));
                }
            }
        }
        NamespaceSettings paths = requested().namespaces();
        if (paths.users() != PrivateUsers.NO) {
            Optional<Namespace> there = of(before, Namespace.Kind.USER);
            users =
                    own(
                            there.isPresent()
                                    ? there.get()
                                    : Namespace.makeUser(map(identity.uid()), map(identity.gid())));
        }
        if (paths.networkPath().isPresent()) {
            network = own(joined(paths.networkPath().get()));
        } else if (requested().hasSharedNetwork()) {
            network = parts.network();
        }
        if (paths.ipcPath().isPresent()) {
            ipc = own(Namespace.open(paths.ipcPath().get(), Namespace.Kind.IPC));
        } else if (requested().hasSharedIpc()) {
            ipc = parts.ipc();
        }
    }

    private Namespace own(Namespace namespace) {
        owned.add(namespace);
        return namespace;
    }

    /** Returns the namespace of the first process that has one of its own. */
    private static Optional<Namespace> of(List<PidFd> processes, Namespace.Kind kind) {
        if (processes.isEmpty()) {
            return Optional.empty();
        }
        try (PidFd self = PidFd.self();
                Namespace machine = self.namespace(kind)) {
            for (PidFd process : processes) {
                try {
                    Namespace found = process.namespace(kind);
                    if (!found.equals(machine)) {
                        return Optional.of(found);
                    }
                    found.close();
                } catch (ErrnoException | ClosedException e) {
                    // it has ended: another one may be left
                }
            }
        }
        return Optional.empty();
    }

    /**
     * What a command has of a sandbox.
     *
     * @param setup what the process does itself
     */
    record View(Isolation isolation, ViewSetup setup) {}

    /**
     * Returns the view of one command.
     *
     * @throws SetupException if a path is missing
     */
    View view() throws SetupException {
        Isolation isolation = new Isolation();
        NamespaceSettings wanted = requested().namespaces();
        if (network != null) {
            isolation.join(network);
        }
        if (ipc != null) {
            isolation.join(ipc);
        }
        if (requested().has(Flag.PROTECT_HOSTNAME) || requested().has(Flag.PRIVATE_HOSTNAME)) {
            isolation.fresh(Namespace.Kind.UTS);
        }
        if (hasOwnMounts()) {
            isolation.fresh(Namespace.Kind.MNT);
        }
        Optional<String> root = requested().root().map(SandboxSettings.Root::path);
        if (root.isEmpty()) {
            wanted.propagation().ifPresent(how -> propagate(isolation, how));
        }
        Optional<String> later = Optional.of(PROC).filter(_ -> wanted.ownProcesses());
        if (wanted.ownProcesses()) {
            isolation.fresh(Namespace.Kind.PID);
        }
        MountPlan plan = mounts();
        OwnCgroups cgroups = wanted.cgroups();
        if (cgroups == OwnCgroups.PRIVATE && plan.isReadOnly(Cgroup.mountPoint())) {
            cgroups = OwnCgroups.STRICT;
        }
        List<MountPlan.Late> late = plan.addTo(isolation, later);
        return new View(
                isolation,
                new ViewSetup(
                        root,
                        later.map(_ -> procOptions(wanted)),
                        late,
                        cgroups,
                        wanted.propagation().filter(_ -> root.isPresent())));
    }

    private static void propagate(Isolation isolation, Propagation how) {
        Isolation _ =
                switch (how) {
                    case PRIVATE -> isolation.withoutPropagation();
                    case SHARED -> isolation.sharedMounts();
                    case SLAVE -> isolation;
                };
    }

    /** Returns whether the commands have a mount namespace even without mounts in it. */
    private boolean hasOwnMounts() {
        NamespaceSettings wanted = requested().namespaces();
        return requested().has(Flag.PRIVATE_MOUNTS)
                || network != null
                || wanted.hasOwnMounts()
                || wanted.ownProcesses();
    }

    private MountPlan mounts() throws SetupException {
        Optional<SandboxSettings.Root> root = requested().root();
        MountPlan plan = new MountPlan(root);
        if (root.isPresent() && root.get().kernel()) {
            plan.addKernel();
            plan.replace("/run", MountTree.fileSystem("tmpfs", RUN), NO_DEVICES);
        }
        if (network != null) {
            boolean readOnly = requested().has(Flag.PROTECT_KERNEL_TUNABLES);
            NetworkFiles.addTo(plan, network, readOnly);
        }
        protectSystem(plan);
        kernel(plan);
        processes(plan);
        temporary(plan);
        homes(plan);
        if (requested().has(Flag.PRIVATE_DEVICES)) {
            PrivateDevices.addTo(plan);
        }
        for (Temporary one : requested().temporary()) {
            plan.replace(one.path(), MountTree.fileSystem("tmpfs", one.options()), attributes(one));
        }
        for (Bind bind : requested().binds()) {
            bind(plan, bind);
        }
        if (!plan.isEmpty() || !requested().rules().isEmpty()) {
            folders(plan);
        }
        for (PathRule rule : requested().rules()) {
            rule(plan, rule);
        }
        if (!plan.isEmpty() || hasOwnMounts()) {
            credentials(plan);
        }
        if (requested().has(Flag.BIND_LOG_SOCKETS)) {
            for (String path : LOG_SOCKETS) {
                plan.keep(path);
            }
        }
        if (notifySocket.isPresent()) { // the folder, since everybody can read the names of mounts
            plan.keep(Objects.requireNonNull(notifySocket.get().getParent()).toString());
        }
        return plan;
    }

    private static void addAll(MountPlan plan, Kind kind, List<String> paths)
            throws SetupException {
        for (String path : paths) {
            plan.add(kind, path);
        }
    }

    private void protectSystem(MountPlan plan) throws SetupException {
        switch (requested().protectSystem()) {
            case NO -> {}
            case YES, FULL -> addAll(plan, Kind.PROTECTED, PACKAGES);
            case STRICT -> {
                plan.add(Kind.PROTECTED, "/");
                addAll(plan, Kind.KEPT, NOT_OF_THE_SYSTEM);
                addAll(plan, Kind.KEPT, HOMES);
            }
        }
        if (requested().protectSystem() == ProtectSystem.FULL) {
            plan.add(Kind.PROTECTED, "/etc");
        }
    }

    private void kernel(MountPlan plan) throws SetupException {
        boolean tunables = requested().has(Flag.PROTECT_KERNEL_TUNABLES);
        if (tunables) {
            addAll(plan, Kind.PROTECTED, TUNABLES);
            for (String path : KERNEL_MEMORY) {
                hide(plan, path);
            }
        }
        if (requested().has(Flag.PROTECT_KERNEL_MODULES)) {
            hide(plan, MODULES);
        }
        if (requested().has(Flag.PROTECT_KERNEL_LOGS)) {
            hide(plan, "/proc/kmsg");
            if (!requested().has(Flag.PRIVATE_DEVICES)) { // has no /dev/kmsg
                hide(plan, "/dev/kmsg");
            }
        }
        if (requested().namespaces().cgroups() != OwnCgroups.NO) {
            // under the file system that the process mounts, since none can be mounted on itself
            String top = Cgroup.mountPoint();
            plan.replace(top, MountTree.fileSystem("tmpfs", EMPTY), NO_DEVICES);
        } else if (requested().has(Flag.PROTECT_CONTROL_GROUPS)) {
            plan.add(Kind.PROTECTED, CGROUPS);
            if (cgroup.isPresent()) {
                plan.add(Kind.READ_WRITE, MemoryPressure.path(cgroup.get()));
            }
        } else if (tunables) {
            plan.add(Kind.KEPT, CGROUPS);
        }
    }

    /** Returns the options of a {@code /proc} that shows less. */
    private static Map<String, String> procFilter(NamespaceSettings wanted) {
        Map<String, String> options = new TreeMap<>();
        if (wanted.processes() != ProtectProc.DEFAULT) {
            options.put("hidepid", Scalars.word(wanted.processes()));
        }
        if (wanted.subset() == ProcSubset.PID) {
            options.put("subset", "pid");
        }
        return options;
    }

    private static String procOptions(NamespaceSettings wanted) {
        return procFilter(wanted).entrySet().stream()
                .map(each -> each.getKey() + "=" + each.getValue())
                .collect(joining(","));
    }

    /** Mounts a {@code /proc} that shows less, unless the process mounts one. */
    private void processes(MountPlan plan) throws SetupException {
        NamespaceSettings wanted = requested().namespaces();
        if (wanted.ownProcesses()) {
            if (wanted.subset() == ProcSubset.PID) {
                plan.reduce(PROC);
            }
        } else if (wanted.hasOwnProc()) {
            Map<String, String> options = procFilter(wanted);
            MountTree proc =
                    MountTree.fileSystem(
                            "proc",
                            options,
                            MountAttribute.NO_SUID,
                            MountAttribute.NO_DEVICES,
                            MountAttribute.NO_EXEC);
            plan.renew(PROC, proc, wanted.subset() == ProcSubset.PID);
        }
    }

    private void temporary(MountPlan plan) throws SetupException {
        for (PrivateFolder folder : folders) {
            plan.replace(folder.base(), MountTree.only(folder.path()), NO_DEVICES);
        }
        if (requested().privateTmp() == PrivateTmp.DISCONNECTED) {
            Map<String, String> options = Map.of("mode", "1777", "size", "10%", "nr_inodes", "1m");
            for (String base : TEMPORARY) {
                plan.replace(base, MountTree.fileSystem("tmpfs", options), NO_DEVICES);
            }
        }
    }

    private void homes(MountPlan plan) throws SetupException {
        for (String home : HOMES) {
            switch (requested().protectHome()) {
                case NO -> {}
                case YES -> hide(plan, home);
                case READ_ONLY -> plan.add(Kind.PROTECTED, home);
                case TMPFS -> {
                    if (Files.isDirectory(Path.of(home))) {
                        plan.replace(
                                home,
                                MountTree.fileSystem("tmpfs", EMPTY),
                                NO_DEVICES | SysMount.READ_ONLY);
                    }
                }
            }
        }
    }

    private void hide(MountPlan plan, String path) throws SetupException {
        Optional<MountPlan.Real> real = plan.find(path);
        if (real.isPresent()) {
            plan.add(
                    Kind.INACCESSIBLE,
                    real.get(),
                    inaccessible.tree(real.get().source(), real.get().isFolder()));
        }
    }

    private static long attributes(Temporary one) {
        long attributes = 0;
        for (String word : one.attributes()) {
            attributes |=
                    switch (word) {
                        case "ro" -> SysMount.READ_ONLY;
                        case "nosuid" -> SysMount.NO_SUID;
                        case "nodev" -> SysMount.NO_DEVICES;
                        case "noexec" -> SysMount.NO_EXEC;
                        case "nosymfollow" -> SysMount.NO_LINKS;
                        default -> throw new IllegalArgumentException(word);
                    };
        }
        return attributes;
    }

    private static void bind(MountPlan plan, Bind bind) throws SetupException {
        boolean optional = bind.optional() || bind.source().equals(SYSLOG);
        Optional<MountPlan.Real> found = MountPlan.ofMachine(bind.source());
        if (optional && found.isEmpty()) {
            return;
        }
        MountPlan.Real source =
                found.orElseThrow(() -> MountPlan.missing(bind.source(), bind.directive()));
        long attributes = bind.readOnly() ? SysMount.READ_ONLY : 0;
        plan.bind(source, bind.destination(), attributes, bind.recursive());
    }

    /** Keeps the service's own folders writable, wherever they are. */
    private void folders(MountPlan plan) throws SetupException {
        for (ExecDirectory directory : settings.directories().values()) {
            if (directory.kind() != ExecDirectory.Kind.CONFIGURATION) {
                String base = ExecDirectories.base(settings, directory.kind(), scope);
                if (settings.isPrivate(directory.kind())) {
                    privateFolders(plan, directory, base);
                } else {
                    for (ExecDirectory.Entry entry : directory.paths()) {
                        ownFolder(plan, base + "/" + entry.path());
                    }
                }
            }
        }
    }

    /** Adds a folder of the service, which is one of the machine, also for a root of its own. */
    private void ownFolder(MountPlan plan, String path) throws SetupException {
        Optional<MountPlan.Real> real = MountPlan.ofMachine(path);
        if (requested().root().isEmpty()) {
            plan.add(Kind.READ_WRITE, path);
        } else if (real.isPresent()) {
            plan.bind(real.get(), path, SysMount.NO_SUID, true);
        }
    }

    /** Replaces the folder that only root can enter by one with the service's own folders. */
    private static void privateFolders(MountPlan plan, ExecDirectory directory, String base)
            throws SetupException {
        plan.replace(base, MountTree.fileSystem("tmpfs", EMPTY), NO_DEVICES | SysMount.READ_ONLY);
        for (ExecDirectory.Entry entry : directory.paths()) {
            if (directory.isOutermost(entry)) {
                String path = base + "/" + entry.path();
                String directive = directory.kind().directive();
                MountPlan.Real real =
                        MountPlan.ofMachine(path)
                                .orElseThrow(() -> MountPlan.missing(path, directive));
                plan.bind(real, path, SysMount.NO_SUID, true);
            }
        }
    }

    /** Hides the credentials of all other units. */
    private void credentials(MountPlan plan) throws SetupException {
        String all = UnitCredentials.parent(scope).toString();
        if (settings.credentials().isEmpty()) {
            hide(plan, all);
            return;
        }
        String path = all + "/" + unit.text();
        MountPlan.Real own =
                MountPlan.ofMachine(path)
                        .orElseThrow(() -> MountPlan.missing(path, "LoadCredential"));
        plan.replace(all, MountTree.fileSystem("tmpfs", EMPTY), NO_DEVICES | SysMount.READ_ONLY);
        plan.bind(own, path, NO_DEVICES | SysMount.READ_ONLY, true);
    }

    private void rule(MountPlan plan, PathRule rule) throws SetupException {
        Optional<String> seen = rule.seenFrom(requested().root());
        if (seen.isEmpty() || (rule.optional() && plan.find(seen.get()).isEmpty())) {
            return;
        }
        String path = seen.get();
        String directive = rule.access().directive();
        switch (rule.access()) {
            case READ_WRITE -> plan.require(Kind.READ_WRITE, path, directive);
            case READ_ONLY -> plan.require(Kind.READ_ONLY, path, directive);
            case NONE -> {
                MountPlan.Real real = plan.real(path, directive);
                plan.add(
                        Kind.INACCESSIBLE, real, inaccessible.tree(real.source(), real.isFolder()));
            }
            case EXECUTE -> plan.execution(plan.real(path, directive), true);
            case NO_EXECUTE -> plan.execution(plan.real(path, directive), false);
        }
    }

    /** Closes the namespaces that no other unit shares. */
    @Override
    public void close() {
        owned.forEach(Namespace::close);
        owned.clear();
    }
}
