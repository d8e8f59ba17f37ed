package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitEscape;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.settings.CgroupSettings;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.ExecSettingsReader;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.value.MountOptions;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.TimeSpan;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** A mount: what is mounted where, after systemd.mount(5). */
public record MountUnit(
        UnitParts parts, Section mount, ExecSettings exec, KillSettings kill, CgroupSettings cgroup)
        implements AttachmentUnit {
    private static final UnitName LOCAL = UnitName.of("local-fs.target");
    private static final UnitName BEFORE_LOCAL = UnitName.of("local-fs-pre.target");
    private static final UnitName REMOTE = UnitName.of("remote-fs.target");
    private static final UnitName BEFORE_REMOTE = UnitName.of("remote-fs-pre.target");
    private static final UnitName NETWORK = UnitName.of("network.target");
    private static final UnitName ONLINE = UnitName.of("network-online.target");
    private static final UnitName UMOUNT = UnitName.of("umount.target");
    private static final UnitName SWAP = UnitName.of("swap.target");

    /** File systems that the kernel or the system makes, which no unit may mount over. */
    public static final List<String> OF_THE_SYSTEM =
            List.of(
                    "/proc",
                    "/sys",
                    "/dev",
                    "/dev/shm",
                    "/dev/pts",
                    "/run",
                    "/sys/fs/cgroup",
                    "/sys/kernel/security",
                    "/sys/fs/pstore",
                    "/sys/fs/bpf",
                    "/sys/firmware/efi/efivars");

    private static final Set<String> OF_THE_NETWORK =
            Set.of(
                    "afs",
                    "ceph",
                    "cifs",
                    "davfs",
                    "gfs",
                    "gfs2",
                    "glusterfs",
                    "lustre",
                    "ncp",
                    "ncpfs",
                    "nfs",
                    "nfs4",
                    "ocfs2",
                    "orangefs",
                    "pvfs2",
                    "smb3",
                    "smbfs",
                    "sshfs");

    /**
     * The {@code [Mount]} section.
     *
     * @param what a device, a file, a folder for a bind mount, or a word; empty if it is not set
     * @param where an absolute path
     * @param type of the file system; mount(8) finds it out without
     * @param sloppy whether options that the file system does not know are ignored
     * @param readWriteOnly whether a mount that could only be read-only fails
     * @param lazy whether it is detached although it is in use
     * @param force whether a file system of the network is unmounted although its server is gone
     * @param directoryMode of the folders that are made for it
     * @param timeout of each command
     */
    public record Section(
            String what,
            String where,
            Optional<String> type,
            MountOptions options,
            boolean sloppy,
            boolean readWriteOnly,
            boolean lazy,
            boolean force,
            int directoryMode,
            TimeSpan timeout) {
        /** Returns whether it shows a folder at a second place. */
        public boolean isBind() {
            return options.has("bind")
                    || options.has("rbind")
                    || type.filter(word -> word.equals("bind") || word.equals("rbind")).isPresent();
        }

        /** Returns whether it needs the network. */
        public boolean isOfTheNetwork() {
            return needsNetwork(type.orElse(""), options);
        }
    }

    private static final class Reader implements SectionReader {
        private String what = "";
        private Optional<String> where = Optional.empty();
        private Optional<String> type = Optional.empty();
        private MountOptions options = MountOptions.NONE;
        private boolean sloppy;
        private boolean readWriteOnly;
        private boolean lazy;
        private boolean force;
        private int directoryMode = 0755;
        private TimeSpan timeout;

        Reader(ManagerDefaults defaults) {
            timeout = defaults.timeoutStart();
        }

        @Override
        public boolean assign(Assignment a) {
            switch (a.key()) {
                case "What" -> what = a.text(Optional.of(what)).map(DeviceUnit::node).orElse("");
                case "Where" -> where = a.path(where);
                case "Type" -> type = a.text(type);
                case "Options" ->
                        options =
                                a.optional(Optional.of(options), MountOptions::parse)
                                        .orElse(MountOptions.NONE);
                case "SloppyOptions" -> sloppy = a.bool(sloppy);
                case "ReadWriteOnly" -> readWriteOnly = a.bool(readWriteOnly);
                case "LazyUnmount" -> lazy = a.bool(lazy);
                case "ForceUnmount" -> force = a.bool(force);
                case "DirectoryMode" -> directoryMode = a.mode(directoryMode);
                case "TimeoutSec" -> timeout = a.timeout(timeout);
                default -> {
                    return false;
                }
            }
            return true;
        }

        Section build(UnitName name) {
            return new Section(
                    what,
                    where.orElseGet(() -> pathOf(name).orElse("/")),
                    type,
                    options,
                    sloppy,
                    readWriteOnly,
                    lazy,
                    force,
                    directoryMode,
                    timeout);
        }

        static void check(Section section, Consumer<String> refuse) {
            if (OF_THE_SYSTEM.contains(section.where())) {
                refuse.accept("Where=%s is a file system of the system".formatted(section.where()));
            } else if (section.what().isEmpty()) {
                refuse.accept("the mount has no What=");
            }
        }
    }

    static UnitFormat.OwnSection begin(
            UnitName name, UnitSection.Reader unit, ManagerScope scope, ManagerDefaults defaults) {
        Reader mount = new Reader(defaults);
        ExecSettingsReader exec = new ExecSettingsReader(scope, defaults);
        KillSettings.Reader kill = new KillSettings.Reader();
        CgroupSettings.Reader cgroup = new CgroupSettings.Reader(defaults);
        return new UnitFormat.OwnSection(
                List.of(mount, exec, kill, cgroup),
                draft -> {
                    Section section = mount.build(draft.source().name());
                    if (draft.isWhole() && checkPath(draft, "Where", section.where())) {
                        Reader.check(section, draft::refuse);
                    }
                    ExecSettings execution = exec.build();
                    KillSettings signals = kill.build();
                    ExecChecks.check(draft, execution, signals, scope);
                    return new MountUnit(
                            draft.parts(),
                            section,
                            execution,
                            signals,
                            cgroup.build(execution.sandbox()));
                });
    }

    /** Refuses a unit whose name is not that of its path; returns whether it is. */
    static boolean checkPath(UnitDraft draft, String directive, String path) {
        UnitName name = draft.source().name();
        if (path.isEmpty()) {
            draft.refuse("the unit has no " + directive + "=");
        } else if (!pathOf(name).equals(Optional.of(path))) {
            draft.refuse(
                    "%s=%s does not match the name of the unit, which would be %s"
                            .formatted(
                                    directive,
                                    path,
                                    UnitEscape.escapePath(path) + name.type().suffix()));
        } else {
            return true;
        }
        return false;
    }

    /** Returns whether a mount of a type with some options needs the network. */
    public static boolean needsNetwork(String type, MountOptions options) {
        return options.has("_netdev")
                || OF_THE_NETWORK.contains(type.startsWith("fuse.") ? type.substring(5) : type);
    }

    static Optional<String> pathOf(UnitName name) {
        try {
            return Optional.of(UnitEscape.unescapePath(name.stem()));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Returns the name of the unit that mounts on a path: {@code srv-data.mount}. */
    public static String nameOf(String path) {
        return UnitEscape.escapePath(path) + ".mount";
    }

    @Override
    public MountUnit with(UnitParts other) {
        return new MountUnit(other, mount, exec, kill, cgroup);
    }

    @Override
    public TimeSpan timeout() {
        return mount.timeout();
    }

    @Override
    public Optional<ExecSettings> execution() {
        return Optional.of(exec);
    }

    @Override
    public boolean canReload() {
        return true; // with new options
    }

    /** {@inheritDoc} Also the mounts that it is below, and that its source is on. */
    @Override
    public List<String> neededPaths(ManagerScope scope) {
        List<String> paths = new ArrayList<>(AttachmentUnit.super.neededPaths(scope));
        Path parent = Path.of(mount.where()).getParent();
        if (parent != null) {
            paths.add(parent.toString());
        }
        if (mount.what().startsWith("/")
                && !mount.isOfTheNetwork()
                && !DeviceUnit.isNode(mount.what())) {
            paths.add(mount.what());
        }
        return paths;
    }

    @Override
    public void imply(ManagerScope scope, Dependencies.Builder implied) {
        ImpliedDependencies.needs(implied, cgroup.sliceOf(name(), scope));
        implyDevice(implied);
        if (scope.user() || !unit().defaultDependencies() || isExtrinsic()) {
            return;
        }
        boolean network = mount.isOfTheNetwork();
        if (network) {
            implied.add(Dependency.AFTER, BEFORE_REMOTE);
            implied.add(Dependency.AFTER, NETWORK);
            implied.add(Dependency.WANTS, ONLINE);
            implied.add(Dependency.AFTER, ONLINE);
        } else {
            implied.add(Dependency.AFTER, BEFORE_LOCAL);
        }
        if (!mount.options().has("nofail")) {
            implied.add(Dependency.BEFORE, network ? REMOTE : LOCAL);
        }
        implied.add(Dependency.BEFORE, UMOUNT);
        implied.add(Dependency.CONFLICTS, UMOUNT);
        if (mount.type().filter("tmpfs"::equals).isPresent()) {
            implied.add(Dependency.AFTER, SWAP);
        }
    }

    private void implyDevice(Dependencies.Builder implied) {
        Optional<UnitName> device = DeviceUnit.of(mount.what());
        if (device.isEmpty()) {
            return;
        }
        String option = "x-systemd.device-bound";
        implied.add(Dependency.AFTER, device.get());
        if (!mount.options().has(option)) {
            implied.add(Dependency.REQUIRES, device.get());
            implied.add(Dependency.STOP_PROPAGATED_FROM, device.get());
        } else {
            boolean isBound =
                    mount.options().value(option).flatMap(Scalars::findBoolean).orElse(true);
            implied.add(isBound ? Dependency.BINDS_TO : Dependency.REQUIRES, device.get());
        }
    }

    /** Returns whether others have mounted it before the manager, and will unmount it after. */
    private boolean isExtrinsic() {
        return mount.where().equals("/") || mount.where().equals("/usr");
    }
}
