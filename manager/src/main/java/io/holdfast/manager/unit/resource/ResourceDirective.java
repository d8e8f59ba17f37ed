package io.holdfast.manager.unit.resource;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The table of the directives of systemd.resource-control(5) that set a value of a cgroup, one row
 * each.
 *
 * <p>The directives of systemd for the time of a start and of a shutdown are read and shown only.
 * One with a replacement is of cgroup v1: its value is converted where the replacement is not set.
 */
public enum ResourceDirective {
    CPU_ACCOUNTING("CPUAccounting"),
    CPU_WEIGHT("CPUWeight", Controller.CPU, ResourceKind.CPU_WEIGHT),
    STARTUP_CPU_WEIGHT("StartupCPUWeight", Controller.CPU, ResourceKind.CPU_WEIGHT),
    CPU_SHARES("CPUShares", Controller.CPU, ResourceKind.SHARES, "CPUWeight"),
    STARTUP_CPU_SHARES("StartupCPUShares", Controller.CPU, ResourceKind.SHARES, "CPUWeight"),
    CPU_QUOTA("CPUQuota", Controller.CPU, ResourceKind.QUOTA),
    CPU_QUOTA_PERIOD("CPUQuotaPeriodSec", Controller.CPU, ResourceKind.PERIOD),
    ALLOWED_CPUS("AllowedCPUs", Controller.CPUSET, ResourceKind.NUMBERS),
    STARTUP_ALLOWED_CPUS("StartupAllowedCPUs", Controller.CPUSET, ResourceKind.NUMBERS),
    ALLOWED_MEMORY_NODES("AllowedMemoryNodes", Controller.CPUSET, ResourceKind.NUMBERS),
    STARTUP_ALLOWED_MEMORY_NODES(
            "StartupAllowedMemoryNodes", Controller.CPUSET, ResourceKind.NUMBERS),
    MEMORY_ACCOUNTING("MemoryAccounting", Controller.MEMORY, ResourceKind.SWITCH),
    MEMORY_MIN("MemoryMin", Controller.MEMORY, ResourceKind.PROTECTION),
    MEMORY_LOW("MemoryLow", Controller.MEMORY, ResourceKind.PROTECTION),
    STARTUP_MEMORY_LOW("StartupMemoryLow", Controller.MEMORY, ResourceKind.PROTECTION),
    DEFAULT_MEMORY_MIN("DefaultMemoryMin", Controller.MEMORY, ResourceKind.PROTECTION),
    DEFAULT_MEMORY_LOW("DefaultMemoryLow", Controller.MEMORY, ResourceKind.PROTECTION),
    DEFAULT_STARTUP_MEMORY_LOW(
            "DefaultStartupMemoryLow", Controller.MEMORY, ResourceKind.PROTECTION),
    MEMORY_HIGH("MemoryHigh", Controller.MEMORY, ResourceKind.MEMORY),
    STARTUP_MEMORY_HIGH("StartupMemoryHigh", Controller.MEMORY, ResourceKind.MEMORY),
    MEMORY_MAX("MemoryMax", Controller.MEMORY, ResourceKind.MEMORY),
    STARTUP_MEMORY_MAX("StartupMemoryMax", Controller.MEMORY, ResourceKind.MEMORY),
    MEMORY_SWAP_MAX("MemorySwapMax", Controller.MEMORY, ResourceKind.SWAP),
    STARTUP_MEMORY_SWAP_MAX("StartupMemorySwapMax", Controller.MEMORY, ResourceKind.SWAP),
    MEMORY_ZSWAP_MAX("MemoryZSwapMax", Controller.MEMORY, ResourceKind.SWAP),
    STARTUP_MEMORY_ZSWAP_MAX("StartupMemoryZSwapMax", Controller.MEMORY, ResourceKind.SWAP),
    MEMORY_ZSWAP_WRITEBACK("MemoryZSwapWriteback", Controller.MEMORY, ResourceKind.SWITCH),
    MEMORY_LIMIT("MemoryLimit", Controller.MEMORY, ResourceKind.MEMORY, "MemoryMax"),
    IO_ACCOUNTING("IOAccounting", Controller.IO, ResourceKind.SWITCH),
    IO_WEIGHT("IOWeight", Controller.IO, ResourceKind.WEIGHT),
    STARTUP_IO_WEIGHT("StartupIOWeight", Controller.IO, ResourceKind.WEIGHT),
    IO_DEVICE_WEIGHT("IODeviceWeight", Controller.IO, ResourceKind.DEVICE_WEIGHTS),
    IO_READ_BANDWIDTH_MAX("IOReadBandwidthMax", Controller.IO, ResourceKind.DEVICE_RATES),
    IO_WRITE_BANDWIDTH_MAX("IOWriteBandwidthMax", Controller.IO, ResourceKind.DEVICE_RATES),
    IO_READ_IOPS_MAX("IOReadIOPSMax", Controller.IO, ResourceKind.DEVICE_RATES),
    IO_WRITE_IOPS_MAX("IOWriteIOPSMax", Controller.IO, ResourceKind.DEVICE_RATES),
    IO_DEVICE_LATENCY_TARGET("IODeviceLatencyTargetSec", Controller.IO, ResourceKind.DEVICE_TIMES),
    BLOCK_IO_ACCOUNTING("BlockIOAccounting", Controller.IO, ResourceKind.SWITCH, "IOAccounting"),
    BLOCK_IO_WEIGHT("BlockIOWeight", Controller.IO, ResourceKind.BLOCK_WEIGHT, "IOWeight"),
    STARTUP_BLOCK_IO_WEIGHT(
            "StartupBlockIOWeight", Controller.IO, ResourceKind.BLOCK_WEIGHT, "StartupIOWeight"),
    BLOCK_IO_DEVICE_WEIGHT(
            "BlockIODeviceWeight",
            Controller.IO,
            ResourceKind.DEVICE_BLOCK_WEIGHTS,
            "IODeviceWeight"),
    BLOCK_IO_READ_BANDWIDTH(
            "BlockIOReadBandwidth", Controller.IO, ResourceKind.DEVICE_RATES, "IOReadBandwidthMax"),
    BLOCK_IO_WRITE_BANDWIDTH(
            "BlockIOWriteBandwidth",
            Controller.IO,
            ResourceKind.DEVICE_RATES,
            "IOWriteBandwidthMax"),
    TASKS_ACCOUNTING("TasksAccounting", Controller.PIDS, ResourceKind.SWITCH),
    TASKS_MAX("TasksMax", Controller.PIDS, ResourceKind.TASKS),
    IP_ACCOUNTING("IPAccounting");

    private static final Map<String, ResourceDirective> BY_NAME = byName();

    private final String key;
    private final Optional<Controller> controller;
    private final ResourceKind kind;
    private final Optional<String> replacement;

    /** A switch of what is counted without a controller: by the kernel, or by a BPF program. */
    ResourceDirective(String key) {
        this(key, Optional.empty(), ResourceKind.SWITCH, "");
    }

    ResourceDirective(String key, Controller controller, ResourceKind kind) {
        this(key, controller, kind, "");
    }

    ResourceDirective(String key, Controller controller, ResourceKind kind, String replacement) {
        this(key, Optional.of(controller), kind, replacement);
    }

    ResourceDirective(
            String key, Optional<Controller> controller, ResourceKind kind, String replacement) {
        this.key = key;
        this.controller = controller;
        this.kind = kind;
        this.replacement = Optional.of(replacement).filter(text -> !text.isEmpty());
    }

    private static Map<String, ResourceDirective> byName() {
        Map<String, ResourceDirective> all = new HashMap<>();
        Stream.of(values()).forEach(each -> all.put(each.key, each));
        return Map.copyOf(all);
    }

    /** Returns the directive with a name. */
    static Optional<ResourceDirective> find(String key) {
        return Optional.ofNullable(BY_NAME.get(key));
    }

    /** Returns those whose value the configuration of a manager sets for units that set none. */
    public static List<ResourceDirective> defaulted() {
        return List.of(
                CPU_ACCOUNTING,
                MEMORY_ACCOUNTING,
                IO_ACCOUNTING,
                BLOCK_IO_ACCOUNTING,
                TASKS_ACCOUNTING,
                IP_ACCOUNTING,
                TASKS_MAX);
    }

    /** Returns its name in unit files. */
    public String key() {
        return key;
    }

    /** Returns the controller whose attribute it sets, or that counts for it. */
    public Optional<Controller> controller() {
        return controller;
    }

    public ResourceKind kind() {
        return kind;
    }

    /** Returns the name of the directive that replaces it. */
    Optional<String> replacement() {
        return replacement;
    }

    /** Returns the name of its property in systemd's D-Bus interface. */
    public String property() {
        return this == CPU_QUOTA ? "CPUQuotaPerSecUSec" : key.replaceFirst("Sec$", "USec");
    }

    /**
     * Returns the value of a unit whose files set none. The manager's configuration sets that of
     * the switches and of {@code TasksMax=}.
     */
    public Object otherwise() {
        return this == MEMORY_ZSWAP_WRITEBACK ? true : kind.otherwise();
    }

    /** Returns whether systemd applies it while the machine starts and stops; it has no effect. */
    public boolean isForStart() {
        return key.contains("Startup");
    }

    /** Returns whether a unit needs the controller only because of accounting. */
    public boolean isAccounting() {
        return key.endsWith("Accounting");
    }
}
