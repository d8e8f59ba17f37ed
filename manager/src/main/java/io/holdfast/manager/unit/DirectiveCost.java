package io.holdfast.manager.unit;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The protection or limit that a unit lacks when one of its directives has no effect: because the
 * directive is not supported, or because its value is invalid.
 *
 * @param text the consequence, such as {@code every system call is allowed}
 * @param security whether the directive protects the rest of the machine from the unit
 */
public record DirectiveCost(String text, boolean security) {
    /** Directives that confine a unit: directives, a colon, and the consequence without them. */
    private static final String SECURITY =
            """
            RootDirectory RootImage: all files of the machine would be visible; a service does not start
            RootHash RootHashSignature RootVerity RootImagePolicy: the image is not verified
            MountImagePolicy ExtensionImagePolicy: the images are not verified
            ReadOnlyPaths ReadOnlyDirectories: the paths are writable
            InaccessiblePaths InaccessibleDirectories: the paths are accessible
            TemporaryFileSystem: the folders show their real contents
            ExecPaths NoExecPaths: files can be executed everywhere
            ProtectSystem: the files of the system are writable
            ProtectHome: the home folders are accessible
            PrivateTmp: /tmp is shared with everybody
            PrivateDevices: all devices are accessible
            PrivateNetwork NetworkNamespacePath: the network of the machine is accessible
            PrivateUsers UserNamespacePath: the users of the machine are its users
            PrivateIPC IPCNamespacePath: IPC objects of the machine are accessible
            PrivatePIDs: all processes are visible
            PrivateMounts: its mounts appear on the machine
            PrivateBPF: the BPF file system of the machine is accessible
            ProtectProc: processes of other users are visible in /proc
            ProcSubset: all of /proc is visible
            ProtectHostname: the host name can be changed
            ProtectClock: the clock can be set
            ProtectKernelTunables: kernel variables are writable
            ProtectKernelModules: kernel modules can be loaded
            ProtectKernelLogs: the log of the kernel is readable
            ProtectControlGroups: the cgroup tree is writable
            SystemCallFilter: every system call is allowed
            SystemCallArchitectures: system calls of every architecture are allowed
            SystemCallLog: system calls are not logged
            MemoryDenyWriteExecute: memory can be writable and executable
            RestrictAddressFamilies: sockets of every address family are allowed
            RestrictFileSystems: file systems of every type are accessible
            RestrictNamespaces: namespaces of every type can be created
            RestrictRealtime: real-time scheduling is allowed
            RestrictSUIDSGID: set-user-ID and set-group-ID files can be created
            LockPersonality: the execution domain can be changed
            NoNewPrivileges: set-user-ID programs grant privileges
            CapabilityBoundingSet: every capability can be gained
            SecureBits: user 0 has its usual capabilities
            UMask: files are created with the usual umask
            KeyringMode: the keyring of the manager is accessible
            PAMName: PAM does not check the account
            SELinuxContext: it runs in the SELinux context of the manager
            AppArmorProfile: it runs in the AppArmor profile of the manager
            SmackProcessLabel SmackLabel SmackLabelIPIn SmackLabelIPOut: the Smack label is not set
            SELinuxContextFromNet: the SELinux context of the peer is ignored
            DevicePolicy DeviceAllow: all devices are accessible
            IPAddressAllow IPAddressDeny: packets of every address pass
            IPIngressFilterPath IPEgressFilterPath BPFProgram: the BPF program is not attached
            SocketBindAllow SocketBindDeny: sockets can be bound to every port
            RestrictNetworkInterfaces: every network interface is accessible
            NFTSet: the sets of the firewall do not have it
            """;

    private static final String OTHER =
            """
            CPUQuota: CPU time is not limited
            CPUWeight: CPU time is shared equally
            AllowedCPUs: it runs on all CPUs
            MemoryMin MemoryLow: its memory is not protected
            IOReadBandwidthMax IOWriteBandwidthMax IOReadIOPSMax IOWriteIOPSMax: IO is not limited
            MemoryMax MemoryHigh MemoryLimit MemorySwapMax MemoryZSwapMax: memory is not limited
            ManagedOOMSwap ManagedOOMMemoryPressure: systemd-oomd does not watch it
            IPAccounting: its packets are not counted
            TasksMax: the number of tasks is not limited
            UtmpIdentifier UtmpMode: utmp and wtmp get no record of its session, as with systemd built without utmp (Debian 13)
            """;

    /** Values that ask for no protection. */
    private static final Set<String> NEUTRAL =
            Set.of("", "no", "n", "false", "f", "off", "0", "default", "all", "inherit", "auto");

    private static final Map<String, DirectiveCost> TABLE = table();

    private static Map<String, DirectiveCost> table() {
        Map<String, DirectiveCost> table = new HashMap<>();
        read(SECURITY, true, table);
        read(OTHER, false, table);
        return Map.copyOf(table);
    }

    private static void read(String lines, boolean security, Map<String, DirectiveCost> table) {
        lines.lines()
                .forEach(line -> {
                    int colon = line.indexOf(": ");
                    DirectiveCost cost = new DirectiveCost(line.substring(colon + 2), security);
                    Stream.of(line.substring(0, colon).split(" "))
                            .forEach(directive -> table.put(directive, cost));
                });
    }

    /** Returns the cost of a directive, if it is known to have one. */
    public static Optional<DirectiveCost> of(String directive) {
        return Optional.ofNullable(TABLE.get(directive));
    }

    /** Returns whether such a line asks for no protection, so that ignoring it costs nothing. */
    public static boolean isNone(String directive, String value) {
        return NEUTRAL.contains(value) && of(directive).map(DirectiveCost::security).orElse(false);
    }

    public static Set<String> directives() {
        return TABLE.keySet();
    }
}
