package io.holdfast.manager.verify;

import io.holdfast.core.process.Namespace.Kind;
import io.holdfast.manager.unit.DirectiveCost;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.resource.AddressRange;
import io.holdfast.manager.unit.resource.AddressSettings;
import io.holdfast.manager.unit.resource.DeviceSettings;
import io.holdfast.manager.unit.section.ServiceSection.NotifyAccess;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.ExecSettings.KeyringMode;
import io.holdfast.manager.unit.settings.NamespaceSettings;
import io.holdfast.manager.unit.settings.NamespaceSettings.OwnCgroups;
import io.holdfast.manager.unit.settings.NamespaceSettings.PrivateUsers;
import io.holdfast.manager.unit.settings.NamespaceSettings.ProcSubset;
import io.holdfast.manager.unit.settings.SandboxSettings;
import io.holdfast.manager.unit.settings.SandboxSettings.Flag;
import io.holdfast.manager.unit.settings.SandboxSettings.PrivateTmp;
import io.holdfast.manager.unit.settings.SystemCallSettings;
import io.holdfast.manager.unit.settings.SystemCallSettings.Families;
import io.holdfast.manager.unit.value.AddressFamily;
import io.holdfast.manager.unit.value.Capability;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.SystemCallGroups;
import io.holdfast.manager.unit.value.SystemCallList;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * How exposed a service is to attacks and how much it could do to the machine, by the tests and
 * numbers of systemd-analyze(1) security.
 *
 * @param service the name of the unit
 * @param tests all that apply to it
 */
public record SecurityAssessment(String service, List<Test> tests) {
    /** The words by the lowest exposure that they stand for. */
    private static final NavigableMap<Long, String> LEVELS =
            new TreeMap<>(
                    Map.of(
                            0L,
                            "PERFECT",
                            1L,
                            "SAFE",
                            10L,
                            "OK",
                            50L,
                            "MEDIUM",
                            75L,
                            "EXPOSED",
                            90L,
                            "UNSAFE",
                            100L,
                            "DANGEROUS"));

    private static final int WORST = 10;
    private static final long NOBODY_BADNESS = 9;
    private static final Set<String> FAMILIES =
            Set.of("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET");

    /**
     * One test.
     *
     * @param name the directive with the value that would be better
     * @param weight how much it counts
     * @param badness 0 to {@code range}
     */
    public record Test(String name, long weight, long badness, long range) {
        /** Returns the consequence of what is not set, if it is known. */
        public String text() {
            String directive = name.replaceFirst("=.*", "");
            return DirectiveCost.of(directive).map(DirectiveCost::text).orElse("");
        }
    }

    public SecurityAssessment {
        tests = List.copyOf(tests);
    }

    /** Returns the exposure in tenths: 0 (perfect) to 100. */
    public long exposure() {
        long sum = tests.stream().mapToLong(t -> up(t.badness * t.weight, t.range)).sum();
        return up(sum * 100, tests.stream().mapToLong(Test::weight).sum());
    }

    /** Returns how much of the exposure a test is responsible for, in tenths. */
    public long exposure(Test test) {
        long all = tests.stream().mapToLong(Test::weight).sum();
        return up(test.badness * test.weight * 100, test.range * all);
    }

    private static long up(long dividend, long divisor) {
        return Math.ceilDiv(dividend, divisor);
    }

    /** {@return the word for the exposure} */
    public String level() {
        return Objects.requireNonNull(LEVELS.floorEntry(exposure())).getValue();
    }

    /** Assesses a service. */
    static SecurityAssessment of(ServiceUnit unit) {
        return new SecurityAssessment(unit.name().text(), new Assessor(unit).tests());
    }

    /** Makes the tests of one service. */
    private static final class Assessor {
        private final ServiceUnit unit;
        private final ExecSettings exec;
        private final SandboxSettings sandbox;
        private final SystemCallSettings calls;
        private final List<Test> tests = new ArrayList<>();

        Assessor(ServiceUnit unit) {
            this.unit = unit;
            this.exec = unit.exec();
            this.sandbox = exec.sandbox();
            this.calls = sandbox.systemCalls();
        }

        List<Test> tests() {
            user();
            if (unit.unit().defaultDependencies()) { // not for those of an early boot
                files();
            }
            flags();
            views();
            resources();
            capabilities();
            namespaces();
            families();
            systemCalls();
            return tests;
        }

        private void add(String name, long weight, boolean good) {
            add(name, weight, good ? 0 : 1, 1);
        }

        private void add(String name, long weight, long badness, long range) {
            tests.add(new Test(name, weight, badness, range));
        }

        private void add(Flag flag, long weight) {
            add(flag.directive() + "=", weight, sandbox.has(flag));
        }

        private boolean isRoot() {
            String user = exec.user().orElse("root");
            return !exec.dynamicUser() && (user.equals("root") || user.equals("0"));
        }

        private void user() {
            boolean nobody = !exec.dynamicUser() && exec.user().equals(Optional.of("nobody"));
            add("User=/DynamicUser=", 2000, isRoot() ? WORST : nobody ? NOBODY_BADNESS : 0, WORST);
            if (!isRoot()) {
                add("SupplementaryGroups=", 200, exec.supplementaryGroups().isEmpty());
                add("RemoveIPC=", 100, exec.removeIpc());
            }
            add("NoNewPrivileges=", 1000, exec.noNewPrivileges());
            add("AmbientCapabilities=", 500, exec.ambientCapabilities().isEmpty());
            add("UMask=", 100, umask(exec.umask()), WORST);
        }

        /** Returns the badness of the permissions of new files. */
        private static long umask(int mask) {
            if ((mask & 0002) == 0) {
                return WORST; // everybody can write
            }
            return (mask & 0004) == 0 ? 5 : (mask & 0020) == 0 ? 2 : (mask & 0040) == 0 ? 1 : 0;
        }

        private void files() {
            add("RootDirectory=/RootImage=", 200, sandbox.root().isPresent());
            long system =
                    switch (sandbox.protectSystem()) {
                        case NO -> WORST;
                        case YES -> 5;
                        case FULL -> 3;
                        case STRICT -> 0;
                    };
            add("ProtectSystem=", 1000, system, WORST);
            long home =
                    switch (sandbox.protectHome()) {
                        case NO -> WORST;
                        case READ_ONLY -> 5;
                        case TMPFS -> 1;
                        case YES -> 0;
                    };
            add("ProtectHome=", 1000, home, WORST);
            add("PrivateTmp=", 1000, sandbox.privateTmp() != PrivateTmp.NO);
        }

        private void flags() {
            add(Flag.PRIVATE_DEVICES, 1000);
            add(Flag.PRIVATE_NETWORK, 2500);
            add(Flag.PROTECT_CLOCK, 1000);
            add(
                    "ProtectControlGroups=",
                    1000,
                    sandbox.has(Flag.PROTECT_CONTROL_GROUPS)
                            || sandbox.namespaces().cgroups() == OwnCgroups.STRICT);
            add(Flag.PROTECT_HOSTNAME, 50);
            add(Flag.PROTECT_KERNEL_LOGS, 1000);
            add(Flag.PROTECT_KERNEL_MODULES, 1000);
            add(Flag.PROTECT_KERNEL_TUNABLES, 1000);
            add(Flag.LOCK_PERSONALITY, 100);
            add(Flag.MEMORY_DENY_WRITE_EXECUTE, 100);
            add(Flag.RESTRICT_REALTIME, 500);
            add(Flag.RESTRICT_SUIDSGID, 1000);
        }

        private void views() {
            add("PrivateMounts=", 1000, privateMounts());
            NamespaceSettings namespaces = sandbox.namespaces();
            add("PrivateUsers=", 1000, namespaces.users() != PrivateUsers.NO);
            add("KeyringMode=", 1000, exec.keyring() == KeyringMode.PRIVATE);
            add("Delegate=", 100, !unit.cgroup().delegate());
            add("ProcSubset=", 10, namespaces.subset() == ProcSubset.PID);
            long processes =
                    switch (namespaces.processes()) {
                        case INVISIBLE, PTRACEABLE -> 0;
                        case NOACCESS -> 1;
                        case DEFAULT -> 3;
                    };
            add("ProtectProc=", 1000, processes, 3);
            add("NotifyAccess=", 1000, unit.service().notifyAccess() != NotifyAccess.ALL);
        }

        /** Adds tests of the BPF programs of its cgroup. */
        private void resources() {
            AddressSettings addresses = unit.cgroup().resources().addresses();
            boolean deniesAll = addresses.denied().containsAll(AddressRange.parse("any"));
            long allowed =
                    addresses.allowed().isEmpty()
                            ? 0
                            : addresses.allowed().stream().allMatch(Assessor::isLocal) ? 2 : 5;
            add("IPAddressDeny=", 1000, deniesAll ? allowed : WORST, WORST);
            DeviceSettings devices = unit.cgroup().resources().devices();
            boolean isClosed = devices.policy() != DeviceSettings.Policy.AUTO;
            add("DeviceAllow=", 1000, !isClosed ? WORST : devices.rules().isEmpty() ? 0 : 5, WORST);
        }

        private static boolean isLocal(AddressRange range) {
            return range.network().isLoopbackAddress();
        }

        /** Returns whether it is not switched off, which is what systemd's tool tests. */
        private boolean privateMounts() {
            boolean isOn = true;
            for (UnitFile file : unit.source().files()) {
                for (UnitFile.Section section : file.sections()) {
                    for (UnitFile.Entry entry : section.entries()) {
                        if (section.name().equals("Service")
                                && entry.key().equals("PrivateMounts")) {
                            isOn = Scalars.findBoolean(entry.value()).orElse(isOn);
                        }
                    }
                }
            }
            return isOn;
        }

        private void capabilities() {
            Set<Capability> bounding = new TreeSet<>(exec.capabilityBoundingSet());
            bounding.removeAll(sandbox.dropped());
            CAPABILITIES
                    .lines()
                    .forEach(line -> {
                        String[] words = line.split(" ");
                        boolean any = false;
                        for (int i = 2; i < words.length; i++) {
                            any |= bounding.contains(Capability.valueOf(words[i]));
                        }
                        add(
                                "CapabilityBoundingSet=~CAP_" + words[0],
                                Long.parseLong(words[1]),
                                !any);
                    });
        }

        private void namespaces() {
            for (Kind kind : SystemCallSettings.NAMESPACES) {
                long weight =
                        switch (kind) {
                            case USER -> 1500;
                            case UTS -> 100;
                            default -> 500;
                        };
                boolean refused =
                        calls.namespaces().isPresent() && !calls.namespaces().get().contains(kind);
                String word = kind.name().toLowerCase(Locale.ROOT);
                add("RestrictNamespaces=~" + word, weight, refused);
            }
        }

        private void families() {
            Set<Integer> usual = new TreeSet<>();
            FAMILIES.forEach(name -> usual.add(AddressFamily.number(name)));
            add("RestrictAddressFamilies=~AF_UNIX", 25, isRefused("AF_UNIX"));
            add("RestrictAddressFamilies=~AF_(INET|INET6)", 1500, isRefused("AF_INET", "AF_INET6"));
            add("RestrictAddressFamilies=~AF_NETLINK", 200, isRefused("AF_NETLINK"));
            add("RestrictAddressFamilies=~AF_PACKET", 1000, isRefused("AF_PACKET"));
            boolean othersRefused =
                    calls.families().stream()
                            .anyMatch(some -> some.permits() == usual.containsAll(some.numbers()));
            add("RestrictAddressFamilies=~…", 1250, othersRefused);
        }

        /** Returns whether a list of what is permitted has none, or one of the others has any. */
        private boolean isRefused(String... names) {
            return calls.families().stream()
                    .anyMatch(some -> some.permits() != hasAny(some, names));
        }

        private static boolean hasAny(Families families, String... names) {
            return List.of(names).stream()
                    .map(AddressFamily::number)
                    .anyMatch(number -> families.numbers().contains(number));
        }

        private void systemCalls() {
            boolean nativeOnly = calls.architectures().equals(Set.of("native"));
            long architectures = calls.architectures().isEmpty() ? WORST : nativeOnly ? 0 : 8;
            add("SystemCallArchitectures=", 1000, architectures, WORST);
            GROUPS.lines()
                    .forEach(line -> {
                        String[] words = line.split(" ");
                        long weight = Long.parseLong(words[1]);
                        add("SystemCallFilter=~" + words[0], weight, badness(words[0]), WORST);
                    });
        }

        private long badness(String group) {
            if (calls.filter().isEmpty()) {
                return WORST;
            }
            SystemCallList filter = calls.filter().get();
            boolean any = SystemCallGroups.expanded(group).stream().anyMatch(filter::permits);
            return any ? filter.permits() ? 9 : WORST : 0;
        }

        /** The end of the name of the test, its weight, and the capabilities. */
        private static final String CAPABILITIES =
                """
                SYS_TIME 1000 SYS_TIME
                SYS_PACCT 25 SYS_PACCT
                KILL 500 KILL
                WAKE_ALARM 25 WAKE_ALARM
                (DAC_*|FOWNER|IPC_OWNER) 1000 DAC_OVERRIDE DAC_READ_SEARCH FOWNER IPC_OWNER
                LINUX_IMMUTABLE 75 LINUX_IMMUTABLE
                IPC_LOCK 50 IPC_LOCK
                SYS_MODULE 1000 SYS_MODULE
                BPF 25 BPF
                SYS_TTY_CONFIG 25 SYS_TTY_CONFIG
                SYS_BOOT 100 SYS_BOOT
                SYS_CHROOT 50 SYS_CHROOT
                BLOCK_SUSPEND 25 BLOCK_SUSPEND
                LEASE 25 LEASE
                MKNOD 500 MKNOD
                (CHOWN|FSETID|SETFCAP) 1000 CHOWN FSETID SETFCAP
                SET(UID|GID|PCAP) 1500 SETUID SETGID SETPCAP
                MAC_* 100 MAC_ADMIN MAC_OVERRIDE
                SYS_RAWIO 1000 SYS_RAWIO
                SYS_PTRACE 1500 SYS_PTRACE
                SYS_(NICE|RESOURCE) 500 SYS_NICE SYS_RESOURCE
                NET_ADMIN 1000 NET_ADMIN
                NET_(BIND_SERVICE|BROADCAST|RAW) 500 NET_BIND_SERVICE NET_BROADCAST NET_RAW
                AUDIT_* 500 AUDIT_CONTROL AUDIT_READ AUDIT_WRITE
                SYS_ADMIN 1500 SYS_ADMIN
                SYSLOG 500 SYSLOG
                """;

        private static final String GROUPS =
                """
                @clock 1000
                @cpu-emulation 250
                @debug 1000
                @module 1000
                @mount 1000
                @obsolete 250
                @privileged 700
                @raw-io 1000
                @reboot 1000
                @resources 700
                @swap 1000
                """;
    }
}
