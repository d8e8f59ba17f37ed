package io.holdfast.manager.unit.directive;

import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.condition.ConditionTable;
import io.holdfast.manager.unit.value.Spelling;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Every directive of systemd (257, and the newer ones up to 259 that change what a service may do),
 * by section. The table distinguishes an unsupported directive from a misspelled one. Which ones
 * are applied is not in it, but follows from the readers (the package {@code unit.section}).
 */
public final class DirectiveTable {
    private static final String UNIT =
            """
            Description Documentation SourcePath Requires Requisite Wants BindsTo BindTo Upholds
            Conflicts Before After OnSuccess OnFailure PropagatesReloadTo PropagateReloadTo
            ReloadPropagatedFrom PropagateReloadFrom PropagatesStopTo StopPropagatedFrom PartOf
            JoinsNamespaceOf RequiresOverridable RequisiteOverridable RequiresMountsFor
            WantsMountsFor StopWhenUnneeded RefuseManualStart RefuseManualStop AllowIsolate
            DefaultDependencies SurviveFinalKillSignal OnSuccessJobMode OnFailureJobMode
            OnFailureIsolate IgnoreOnIsolate JobTimeoutSec JobRunningTimeoutSec JobTimeoutAction
            JobTimeoutRebootArgument StartLimitIntervalSec StartLimitInterval StartLimitBurst
            StartLimitAction FailureAction SuccessAction FailureActionExitStatus
            SuccessActionExitStatus RebootArgument CollectMode
            """;

    private static final String INSTALL =
            """
            Alias WantedBy RequiredBy UpheldBy Also DefaultInstance
            """;

    private static final String EXEC =
            """
            WorkingDirectory RootDirectory RootImage RootImageOptions RootImagePolicy RootHash
            RootHashSignature RootVerity RootEphemeral ExtensionDirectories ExtensionImages
            ExtensionImagePolicy MountImages MountImagePolicy User Group SupplementaryGroups
            SetLoginEnvironment Nice OOMScoreAdjust CoredumpFilter IOSchedulingClass
            IOSchedulingPriority CPUSchedulingPolicy CPUSchedulingPriority
            CPUSchedulingResetOnFork CPUAffinity NUMAPolicy NUMAMask UMask Environment
            EnvironmentFile PassEnvironment UnsetEnvironment DynamicUser RemoveIPC StandardInput
            StandardOutput StandardError StandardInputText StandardInputData TTYPath TTYReset
            TTYVHangup TTYVTDisallocate TTYRows TTYColumns SyslogIdentifier SyslogFacility
            SyslogLevel SyslogLevelPrefix LogLevelMax LogRateLimitIntervalSec LogRateLimitBurst
            LogExtraFields LogFilterPatterns SecureBits CapabilityBoundingSet
            AmbientCapabilities TimerSlackNSec NoNewPrivileges KeyringMode ProtectProc
            ProcSubset SystemCallFilter SystemCallArchitectures SystemCallErrorNumber
            SystemCallLog MemoryDenyWriteExecute RestrictNamespaces RestrictRealtime
            RestrictSUIDSGID RestrictAddressFamilies LockPersonality RestrictFileSystems
            LimitCPU LimitFSIZE LimitDATA LimitSTACK LimitCORE LimitRSS LimitNOFILE LimitAS
            LimitNPROC LimitMEMLOCK LimitLOCKS LimitSIGPENDING LimitMSGQUEUE LimitNICE
            LimitRTPRIO LimitRTTIME ReadWriteDirectories ReadOnlyDirectories
            InaccessibleDirectories ReadWritePaths ReadOnlyPaths InaccessiblePaths ExecPaths
            NoExecPaths ExecSearchPath BindPaths BindReadOnlyPaths TemporaryFileSystem
            PrivateTmp PrivateDevices ProtectKernelTunables ProtectKernelModules
            ProtectKernelLogs ProtectClock ProtectControlGroups NetworkNamespacePath
            IPCNamespacePath LogNamespace PrivateNetwork PrivateUsers PrivateMounts PrivateIPC
            PrivatePIDs ProtectSystem ProtectHome MountFlags MountAPIVFS BindLogSockets
            Personality RuntimeDirectoryPreserve RuntimeDirectoryMode RuntimeDirectory
            StateDirectoryMode StateDirectory CacheDirectoryMode CacheDirectory
            LogsDirectoryMode LogsDirectory ConfigurationDirectoryMode ConfigurationDirectory
            SetCredential SetCredentialEncrypted LoadCredential LoadCredentialEncrypted
            ImportCredential TimeoutCleanSec PAMName IgnoreSIGPIPE UtmpIdentifier UtmpMode
            SELinuxContext AppArmorProfile SmackProcessLabel ProtectHostname MemoryKSM
            DelegateNamespaces PrivateBPF BPFDelegateCommands BPFDelegateMaps
            BPFDelegatePrograms BPFDelegateAttachments UserNamespacePath
            """;

    private static final String CGROUP =
            """
            Slice AllowedCPUs StartupAllowedCPUs AllowedMemoryNodes StartupAllowedMemoryNodes
            CPUAccounting CPUWeight StartupCPUWeight CPUShares StartupCPUShares CPUQuota
            CPUQuotaPeriodSec MemoryAccounting MemoryMin DefaultMemoryMin DefaultMemoryLow
            DefaultStartupMemoryLow MemoryLow StartupMemoryLow MemoryHigh StartupMemoryHigh
            MemoryMax StartupMemoryMax MemorySwapMax StartupMemorySwapMax MemoryZSwapMax
            StartupMemoryZSwapMax MemoryZSwapWriteback MemoryLimit DeviceAllow DevicePolicy
            IOAccounting IOWeight StartupIOWeight IODeviceWeight IOReadBandwidthMax
            IOWriteBandwidthMax IOReadIOPSMax IOWriteIOPSMax IODeviceLatencyTargetSec
            BlockIOAccounting BlockIOWeight StartupBlockIOWeight BlockIODeviceWeight
            BlockIOReadBandwidth BlockIOWriteBandwidth TasksAccounting TasksMax Delegate
            DelegateSubgroup DisableControllers IPAccounting IPAddressAllow IPAddressDeny
            IPIngressFilterPath IPEgressFilterPath ManagedOOMSwap ManagedOOMMemoryPressure
            ManagedOOMMemoryPressureLimit ManagedOOMMemoryPressureDurationSec
            ManagedOOMPreference BPFProgram SocketBindAllow SocketBindDeny
            RestrictNetworkInterfaces MemoryPressureThresholdSec MemoryPressureWatch NFTSet
            CoredumpReceive
            """;

    private static final String KILL =
            """
            SendSIGKILL SendSIGHUP KillMode KillSignal RestartKillSignal FinalKillSignal
            WatchdogSignal
            """;

    private static final String SERVICE =
            """
            PIDFile ExecCondition ExecStartPre ExecStart ExecReload ExecStartPost ExecStop
            ExecStopPost RestartSec RestartSteps RestartMaxDelaySec TimeoutSec TimeoutStartSec
            TimeoutStopSec TimeoutAbortSec TimeoutStartFailureMode TimeoutStopFailureMode
            RuntimeMaxSec RuntimeRandomizedExtraSec WatchdogSec StartLimitInterval
            StartLimitBurst StartLimitAction FailureAction RebootArgument Type ExitType Restart
            RestartMode PermissionsStartOnly RootDirectoryStartOnly RemainAfterExit GuessMainPID
            RestartPreventExitStatus RestartForceExitStatus SuccessExitStatus NonBlocking
            BusName FileDescriptorStoreMax FileDescriptorStorePreserve NotifyAccess Sockets
            USBFunctionDescriptors USBFunctionStrings OOMPolicy OpenFile ReloadSignal
            ExecReloadPost RefreshOnReload
            """;

    private static final String SOCKET =
            """
            ListenStream ListenDatagram ListenSequentialPacket ListenFIFO ListenNetlink
            ListenSpecial ListenMessageQueue ListenUSBFunction SocketProtocol BindIPv6Only
            Backlog BindToDevice ExecStartPre ExecStartPost ExecStopPre ExecStopPost TimeoutSec
            SocketUser SocketGroup SocketMode DirectoryMode Accept FlushPending Writable
            MaxConnections MaxConnectionsPerSource KeepAlive KeepAliveTimeSec
            KeepAliveIntervalSec KeepAliveProbes DeferAcceptSec NoDelay Priority ReceiveBuffer
            SendBuffer IPTOS IPTTL Mark PipeSize FreeBind Transparent Broadcast PassCredentials
            PassFileDescriptorsToExec PassSecurity PassPacketInfo Timestamping TCPCongestion
            ReusePort MessageQueueMaxMessages MessageQueueMessageSize RemoveOnStop Symlinks
            FileDescriptorName Service TriggerLimitIntervalSec TriggerLimitBurst
            PollLimitIntervalSec PollLimitBurst SmackLabel SmackLabelIPIn SmackLabelIPOut
            SELinuxContextFromNet PassPIDFD AcceptFileDescriptors DeferTrigger
            DeferTriggerMaxSec
            """;

    private static final String MOUNT =
            """
            What Where Options Type TimeoutSec DirectoryMode SloppyOptions LazyUnmount
            ForceUnmount ReadWriteOnly
            """;

    private static final String AUTOMOUNT =
            """
            Where ExtraOptions DirectoryMode TimeoutIdleSec
            """;

    private static final String SWAP =
            """
            What Priority Options TimeoutSec
            """;

    private static final String TIMER =
            """
            OnCalendar OnActiveSec OnBootSec OnStartupSec OnUnitActiveSec OnUnitInactiveSec
            OnClockChange OnTimezoneChange Persistent WakeSystem RemainAfterElapse
            FixedRandomDelay DeferReactivation AccuracySec RandomizedDelaySec Unit
            RandomizedOffsetSec
            """;

    private static final String PATH =
            """
            PathExists PathExistsGlob PathChanged PathModified DirectoryNotEmpty Unit
            MakeDirectory DirectoryMode TriggerLimitIntervalSec TriggerLimitBurst
            """;

    private static final String SCOPE =
            """
            RuntimeMaxSec RuntimeRandomizedExtraSec TimeoutStopSec OOMPolicy
            """;

    private static final Map<String, Set<String>> SECTIONS = sections();

    private DirectiveTable() {}

    /** Returns the directives of a section; none if there is no such section. */
    public static Set<String> of(String section) {
        return SECTIONS.getOrDefault(section, Set.of());
    }

    public static boolean isKnown(String section, String key) {
        return of(section).contains(key);
    }

    /** Suggests which directive an unknown one was meant to be: {@code did you mean Restart=?} */
    public static Optional<String> suggest(UnitType type, String section, String key) {
        Optional<String> similar = Spelling.meant(key, of(section));
        if (similar.isPresent()) {
            return similar.map(known -> "did you mean " + known + "=?");
        }
        return Stream.of("Unit", type.section(), "Install")
                .filter(other -> !other.equals(section) && isKnown(other, key))
                .findFirst()
                .map(other -> "it belongs in [" + other + "]");
    }

    private static Map<String, Set<String>> sections() {
        Map<String, Set<String>> sections = new HashMap<>();
        Set<String> unit = words(UNIT);
        for (String kind : ConditionTable.names()) {
            unit.add("Condition" + kind);
            unit.add("Assert" + kind);
        }
        sections.put("Unit", unit);
        sections.put("Install", words(INSTALL));
        sections.put("Service", words(SERVICE, EXEC, CGROUP, KILL));
        sections.put("Socket", words(SOCKET, EXEC, CGROUP, KILL));
        sections.put("Mount", words(MOUNT, EXEC, CGROUP, KILL));
        sections.put("Automount", words(AUTOMOUNT));
        sections.put("Swap", words(SWAP, EXEC, CGROUP, KILL));
        sections.put("Timer", words(TIMER));
        sections.put("Path", words(PATH));
        sections.put("Slice", words(CGROUP));
        sections.put("Scope", words(SCOPE, CGROUP, KILL));
        sections.replaceAll((_, keys) -> Collections.unmodifiableSet(keys));
        return Map.copyOf(sections);
    }

    private static Set<String> words(String... groups) {
        Set<String> words = new TreeSet<>();
        for (String group : groups) {
            Collections.addAll(words, group.strip().split("\\s+"));
        }
        return words;
    }
}
