package io.holdfast.manager.resource;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.resource.Controller;
import io.holdfast.manager.unit.resource.ResourceDirective;
import io.holdfast.manager.unit.resource.ResourceSettings;
import io.holdfast.manager.unit.section.SliceUnit;
import io.holdfast.manager.unit.section.UnitReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The values of the files of a cgroup, in a folder with files of these names. */
@Timeout(60)
@SameOnEveryKernel
class AttributesTest {
    private static final AttributeList.DeviceNumbers DEVICES =
            (_, path) ->
                    path.startsWith("/dev/sd")
                            ? Optional.of("8:" + path.charAt(path.length() - 1))
                            : Optional.empty();

    @TempDir Path folder;
    private final List<String> problems = new ArrayList<>();

    private static ResourceSettings settings(String lines) {
        UnitSource source =
                UnitSource.inMemory(
                        UnitName.of("a.slice"),
                        UnitFile.parse("test", "[Slice]\n" + lines.replace("; ", "\n") + "\n"));
        return ((SliceUnit)
                        new UnitReader(Host.UNKNOWN, ManagerScope.system(Map.of())).read(source))
                .resources();
    }

    /** Returns what is written to a file of a new cgroup. */
    private static List<String> written(String file, ResourceSettings settings) {
        return AttributeList.of(settings, List.of(), Optional.empty(), DEVICES).stream()
                .filter(each -> each.file().equals(file) && !each.isDefault())
                .map(Attribute::value)
                .toList();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    CPUWeight=20                             | cpu.weight   | 20
                    CPUWeight=idle                           | cpu.idle     | 1
                    CPUShares=512                            | cpu.weight   | 50
                    CPUWeight=30; CPUShares=512              | cpu.weight   | 30
                    CPUQuota=20%                             | cpu.max      | 20000 100000
                    CPUQuota=250%                            | cpu.max      | 250000 100000
                    CPUQuota=1%; CPUQuotaPeriodSec=10ms      | cpu.max      | 1000 100000
                    CPUQuota=50%; CPUQuotaPeriodSec=10s      | cpu.max      | 500000 1000000
                    AllowedCPUs=0-3 5,7                      | cpuset.cpus  | 0-3,5,7
                    AllowedMemoryNodes=0                     | cpuset.mems  | 0
                    MemoryMin=1M                             | memory.min   | 1048576
                    MemoryMax=1.5K                           | memory.max   | 1536
                    MemoryLimit=10M                          | memory.max   | 10485760
                    MemorySwapMax=0                          | memory.swap.max | 0
                    MemoryZSwapWriteback=no                  | memory.zswap.writeback | 0
                    IOWeight=200                             | io.weight    | default 200
                    BlockIOWeight=250                        | io.weight    | default 50
                    IODeviceWeight=/dev/sd3 300              | io.weight    | 8:3 300
                    IOReadBandwidthMax=/dev/sd3 5M; IOWriteIOPSMax=/dev/sd3 77 | io.max | 8:3 rbps=5000000 wiops=77 wbps=max riops=max
                    IODeviceLatencyTargetSec=/dev/sd3 25ms   | io.latency   | 8:3 target=25000
                    TasksMax=10                              | pids.max     | 10
                    """)
    void eachDirectiveSetsItsFile(String lines, String file, String value) {
        assertThat(written(file, settings(lines))).containsExactly(value);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    CPUWeight=0             | cpu.weight
                    CPUWeight=10001         | cpu.weight
                    CPUQuota=0%             | cpu.max
                    CPUQuota=20             | cpu.max
                    AllowedCPUs=x           | cpuset.cpus
                    MemoryMax=0             | memory.max
                    MemoryMax=101%          | memory.max
                    MemoryMax=-1            | memory.max
                    MemoryHigh=junk         | memory.high
                    IOWeight=20000          | io.weight
                    IOReadBandwidthMax=/dev/sd3 | io.max
                    IOReadBandwidthMax=/elsewhere 5M | io.max
                    TasksMax=infinity       | pids.max
                    """)
    void whatSystemdRefusesSetsNothing(String lines, String file) {
        assertThat(written(file, settings(lines))).isEmpty();
    }

    @Test
    void aShareIsOfWholePagesAndAnEmptyLineRestoresTheDefault() {
        long bytes =
                MachineResources.memory(
                        settings("MemoryMax=50%").amount(ResourceDirective.MEMORY_MAX));
        assertThat(bytes).isPositive().isLessThanOrEqualTo(MachineResources.memory() / 2);
        assertThat(bytes % 4096).isZero();
        assertThat(written("memory.max", settings("MemoryMax=1G; MemoryMax="))).isEmpty();
        assertThat(written("pids.max", settings("TasksMax=")))
                .containsExactly(Long.toString(MachineResources.tasks() * 15 / 100));
    }

    @Test
    void theNextSliceAboveProtectsMemoryByDefault() {
        List<ResourceSettings> above =
                List.of(settings("MemoryLow=7"), settings("DefaultMemoryLow=1M"));
        List<String> low =
                AttributeList.of(settings(""), above, Optional.empty(), DEVICES).stream()
                        .filter(each -> each.file().equals("memory.low"))
                        .map(Attribute::value)
                        .toList();
        assertThat(low).containsExactly("1048576");
    }

    @Test
    void aDeviceThatIsNoLongerLimitedIsReset() {
        ResourceSettings before =
                settings("IOReadBandwidthMax=/dev/sd1 5M; IODeviceWeight=/dev/sd2 9");
        List<String> io =
                AttributeList.of(settings(""), List.of(), Optional.of(before), DEVICES).stream()
                        .filter(each -> each.file().startsWith("io.") && !each.isDefault())
                        .map(each -> each.file() + ": " + each.value())
                        .toList();
        assertThat(io)
                .containsExactly(
                        "io.weight: 8:2 default",
                        "io.max: 8:1 rbps=max wbps=max riops=max wiops=max");
    }

    private void write(ResourceSettings settings, boolean isNew) {
        try (Fd open = Fcntl.open(folder.toString(), Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            new ResourceLimits(settings, List.of(), false)
                    .write(
                            open,
                            EnumSet.of(Controller.MEMORY, Controller.PIDS),
                            Optional.empty(),
                            isNew,
                            problems::add);
        }
    }

    @Test
    void onlyTheFilesOfEnabledControllersAreWritten() throws IOException {
        for (String name : List.of("memory.max", "memory.high", "pids.max", "cpu.weight")) {
            Files.writeString(folder.resolve(name), "");
        }
        write(settings("MemoryMax=5; TasksMax=7; CPUWeight=3"), true);
        assertThat(folder.resolve("memory.max")).hasContent("5");
        assertThat(folder.resolve("pids.max")).hasContent("7");
        assertThat(folder.resolve("memory.high")).as("a default").isEmptyFile();
        assertThat(folder.resolve("cpu.weight")).isEmptyFile();
        assertThat(problems).isEmpty();
    }

    @Test
    void aValueThatCannotBeWrittenIsReportedAndTheOthersHold() throws IOException {
        Files.createSymbolicLink(folder.resolve("memory.high"), Path.of("/dev/full"));
        Files.writeString(folder.resolve("memory.max"), "");
        write(settings("MemoryHigh=4; MemoryMax=5; MemorySwapMax=6; TasksMax=infinity"), false);
        assertThat(folder.resolve("memory.max")).hasContent("5");
        assertThat(problems)
                .hasSize(2)
                .anySatisfy(text ->
                        assertThat(text)
                                .startsWith("MemoryHigh= is not applied: ")
                                .contains("ENOSPC"))
                .anySatisfy(text ->
                        assertThat(text)
                                .isEqualTo(
                                        "MemorySwapMax= is not applied: the kernel has no"
                                                + " attribute memory.swap.max"));
    }

    @Test
    void usageIsReadFromTheFilesThatAreThere() throws IOException {
        Files.writeString(folder.resolve("cpu.stat"), "usage_usec 1500\nuser_usec 1\n");
        Files.writeString(folder.resolve("memory.current"), "4096\n");
        Files.writeString(folder.resolve("memory.peak"), "junk\n");
        Files.writeString(
                folder.resolve("io.stat"),
                "8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n8:16 rbytes=5 wbytes=x\n8:32\n");
        try (Fd open = Fcntl.open(folder.toString(), Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            assertThat(ResourceUsage.of(open, false))
                    .isEqualTo(
                            new ResourceUsage(
                                    1_500_000,
                                    4096,
                                    -1,
                                    -1,
                                    -1,
                                    -1,
                                    -1,
                                    15,
                                    20,
                                    1,
                                    2,
                                    PacketCounts.UNKNOWN));
        }
    }

    @Test
    void aKillIsNoticedOnce() throws IOException {
        Path events = folder.resolve("memory.events");
        Files.writeString(events, "low 0\noom 0\noom_kill 2\noom_group_kill 0\n");
        List<String> calls = new ArrayList<>();
        try (Fd open = Fcntl.open(folder.toString(), Fcntl.O_PATH | Fcntl.O_DIRECTORY);
                OomWatch watch = OomWatch.of(open, -1, () -> calls.add("killed")).orElseThrow()) {
            watch.check();
            assertThat(calls).isEmpty();
            Files.writeString(events, "low 0\noom 1\noom_kill 3\noom_group_kill 0\n");
            watch.check();
            watch.check();
            assertThat(calls).hasSize(1);
            assertThat(watch.known()).isEqualTo(3);
        }
        Files.delete(events);
        try (Fd open = Fcntl.open(folder.toString(), Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            assertThat(OomWatch.of(open, 0, () -> {})).isEmpty();
        }
    }
}
