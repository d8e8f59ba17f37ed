package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.systemd1.Systemd1;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** AttachProcessesToUnit, called by busctl(1). */
@Timeout(120)
@Needs(programs = "busctl")
class AttachedProcessesTest {
    @TempDir private Path folder;
    private Stage stage;
    private Systemd1 face;
    private Bus bus;
    private final List<Process> started = new ArrayList<>();

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
        bus =
                Bus.open(
                        BusAddress.parse("unix:path=" + folder.resolve("bus")),
                        BusConfig.permissive());
        var _ = face.connect(bus.addresses().getFirst().toString());
        stage.service("own", "Delegate=yes", "ExecStart=/bin/sleep 1000");
        stage.service("plain", "ExecStart=/bin/sleep 1000");
        stage.start("own");
        stage.start("plain");
    }

    @AfterEach
    void close() throws Exception {
        face.close();
        bus.close();
        for (Process process : started) {
            int _ = process.destroyForcibly().waitFor();
        }
        stage.close();
    }

    private Process sleeper() throws Exception {
        Process process = new ProcessBuilder("/bin/sleep", "1000").start();
        started.add(process);
        return process;
    }

    private static String cgroupOf(long pid) {
        try (PidFd process = PidFd.find((int) pid).orElseThrow()) {
            return process.cgroupPath().path();
        }
    }

    private Tool call(String path, String type, String method, String... arguments)
            throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "busctl",
                                "--address=" + bus.addresses().getFirst(),
                                "call",
                                "org.freedesktop.systemd1",
                                path,
                                "org.freedesktop.systemd1." + type,
                                method));
        command.addAll(List.of(arguments));
        return Tool.run(Map.of(), command.toArray(String[]::new));
    }

    private Tool attach(String unit, String below, long pid) throws Exception {
        return call(
                "/org/freedesktop/systemd1",
                "Manager",
                "AttachProcessesToUnit",
                "ssau",
                unit,
                below,
                "1",
                Long.toString(pid));
    }

    private String cgroup(String unit) throws Exception {
        return stage.status(unit).cgroup().orElseThrow();
    }

    private void assumeCgroups() {
        assumeThat(stage.manager().slice()).as("the manager's cgroup").isPresent();
    }

    @Test
    void aProcessIsMovedIntoTheCgroupOfAUnitThatDelegatesIt() throws Exception {
        assumeCgroups();
        Process process = sleeper();
        Tool ran = attach("own.service", "", process.pid());
        assertThat(ran.status()).as(ran.output()).isZero();
        assertThat(cgroupOf(process.pid())).isEqualTo(cgroup("own"));
        // it stays where it is when it is attached again
        assertThat(attach("own.service", "", process.pid()).status()).isZero();
        stage.stop("own");
        int _ = process.waitFor(); // its status is lost if the manager in this JVM reaps it
    }

    @Test
    void aProcessIsMovedBelowTheCgroupOfTheUnit() throws Exception {
        assumeCgroups();
        Process process = sleeper();
        Tool missing = attach("own.service", "/inner", process.pid());
        assertThat(missing.status()).isNotZero();
        assertThat(missing.output())
                .contains("Failed to attach processes to control group", "inner", "ENOENT");
        try (Cgroup unit = Cgroup.open(cgroup("own"));
                Cgroup _ = unit.create("inner")) {
            Tool ran =
                    call(
                            "/org/freedesktop/systemd1/unit/own_2eservice",
                            "Service",
                            "AttachProcesses",
                            "sau",
                            "/inner",
                            "1",
                            Long.toString(process.pid()));
            assertThat(ran.status()).as(ran.output()).isZero();
            assertThat(cgroupOf(process.pid())).isEqualTo(cgroup("own") + "/inner");
        }
    }

    @Test
    void aUnitThatKeepsItsCgroupToItselfGetsNone() throws Exception {
        Process process = sleeper();
        String before = cgroupOf(process.pid());
        assertThat(attach("plain.service", "", process.pid()).output())
                .contains("Process migration not available on non-delegated units.");
        stage.stop("own");
        assertThat(attach("own.service", "", process.pid()).output()).contains("not");
        assertThat(attach("own.service", "inner", process.pid()).output())
                .contains("Control group path is not absolute: inner");
        assertThat(attach("own.service", "/../x", process.pid()).output())
                .contains("Control group path is not normalized: /../x");
        assertThat(cgroupOf(process.pid())).isEqualTo(before);
    }

    @Test
    void allProcessesAreMovedOrNone() throws Exception {
        assumeCgroups();
        Process process = sleeper();
        String before = cgroupOf(process.pid());
        Tool ran =
                call(
                        "/org/freedesktop/systemd1",
                        "Manager",
                        "AttachProcessesToUnit",
                        "ssau",
                        "own.service",
                        "",
                        "2",
                        Long.toString(process.pid()),
                        Long.toString(ProcessHandle.current().pid()));
        assertThat(ran.output()).contains("is a manager process, refusing.");
        assertThat(cgroupOf(process.pid())).isEqualTo(before);
        assertThat(stage.loaded()).contains(UnitName.of("own.service").text());
    }

    @Test
    void aDelegatedCgroupIsMarkedIfItReceivesCoreDumps() throws Exception {
        String reads =
                stage.python(
                        "reads",
                        """
                        own = open("/proc/self/cgroup").read().split("0::")[1].strip()
                        say(" ".join(["marked"] + os.listxattr(sys.argv[1] + own)))
                        """);
        String command = "ExecStart=" + reads + " " + Cgroup.mountPoint();
        stage.service("a", "Delegate=yes", "CoredumpReceive=yes", command);
        stage.service("b", "CoredumpReceive=yes", command);
        for (String name : List.of("a", "b")) {
            assertThat(stage.start(name)).isEqualTo(JobResult.DONE);
        }
        assertThat(stage.happenings().awaitOutput("a.service", "marked"))
                .endsWith(" user.coredump_receive");
        assertThat(stage.happenings().awaitOutput("b.service", "marked")).endsWith("marked");
    }
}
