package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.systemd1.Systemd1;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Limits, accounting and delegation by the controllers of cgroup v2, in a machine that has them:
 * {@code scripts/vm} boots one.
 */
@Timeout(1200)
@Needs(root = true, cgroup2 = true, files = "/sys/fs/cgroup/memory.stat", disposableMachine = true)
class ResourceControlTest {
    @TempDir Path folder;
    private Stage stage;
    private Systemd1 face;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
    }

    @AfterEach
    void close() throws Exception {
        face.close();
        stage.close();
    }

    private Path cgroup(String unit) {
        return Path.of(
                Cgroup.mountPoint()
                        + stage.manager().slice().orElseThrow().path()
                        + "/system.slice/"
                        + unit);
    }

    private String file(String unit, String name) throws Exception {
        return Files.readString(cgroup(unit).resolve(name)).strip();
    }

    private static void until(Callable<Boolean> condition) {
        Await.until(() -> {
            try {
                return condition.call();
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    private String log() {
        return String.join("\n", stage.happenings().lines());
    }

    @Test
    void limitsAreWrittenAndChangeWithAReload() throws Exception {
        stage.service(
                "a",
                "ExecStart=/bin/sleep 1000",
                "MemoryMax=64M",
                "MemoryHigh=32M",
                "CPUWeight=50",
                "CPUQuota=20%",
                "TasksMax=10",
                "AllowedCPUs=0");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(file("a.service", "memory.max")).isEqualTo(Integer.toString(64 << 20));
        assertThat(file("a.service", "memory.high")).isEqualTo(Integer.toString(32 << 20));
        assertThat(file("a.service", "cpu.weight")).isEqualTo("50");
        assertThat(file("a.service", "cpu.max")).isEqualTo("20000 100000");
        assertThat(file("a.service", "pids.max")).isEqualTo("10");
        assertThat(file("a.service", "cpuset.cpus.effective")).isEqualTo("0");
        assertThat(cgroup("a.service").resolve("io.max")).doesNotExist();

        stage.service("a", "ExecStart=/bin/sleep 1000", "MemoryMax=128M", "CPUWeight=idle");
        int _ = Stage.get(stage.reloading());
        until(() -> file("a.service", "memory.max").equals(Integer.toString(128 << 20)));
        until(() -> file("a.service", "cpu.max").equals("max 100000"));
        assertThat(file("a.service", "memory.high")).isEqualTo("max");
        assertThat(file("a.service", "cpu.idle")).isEqualTo("1");
        assertThat(Systemctl.of(stage).expect(0, "show", "a", "-p", "MemoryMax,CPUWeight"))
                .contains("MemoryMax=134217728", "CPUWeight=idle");
        assertThat(Systemctl.of(stage).expect(0, "status", "a")).contains("Memory: ", "Tasks: 1 ");
    }

    @Test
    void aServiceThatFillsItsMemoryEndsWithTheResultOomKill() throws Exception {
        stage.service(
                "full",
                "ExecStart="
                        + stage.python("full", "say('up')\nx = bytearray(200 << 20)\nsay('no')"),
                "ExecStopPost=/bin/sh -c 'echo result $SERVICE_RESULT'",
                "MemoryMax=30M",
                "MemorySwapMax=0");
        JobResult _ = stage.start("full");
        until(() -> stage.state("full").equals("failed/failed oom-kill"));
        until(() -> log().contains("result oom-kill"));
        assertThat(log()).doesNotContain("| no");
    }

    @Test
    void aKilledChildEndsItsServiceUnlessThePolicyIsToContinue() throws Exception {
        String child =
                "sh -c \"(" + stage.python("child", "x = bytearray(200 << 20)") + "); sleep 1000\"";
        for (String policy : List.of("stop", "continue")) {
            stage.service(
                    policy,
                    "ExecStart=/bin/" + child,
                    "MemoryMax=30M",
                    "MemorySwapMax=0",
                    "OOMPolicy=" + policy);
            JobResult _ = stage.start(policy);
        }
        until(() -> stage.state("stop").equals("failed/failed oom-kill"));
        until(() -> log().contains("OOMPolicy=continue"));
        assertThat(stage.state("continue")).startsWith("active/running");
    }

    @Test
    void aServiceCannotHaveMoreTasksThanItsLimit() throws Exception {
        stage.service(
                "many",
                "ExecStart="
                        + stage.python(
                                "many",
                                """
                                n = 0
                                try:
                                    while True:
                                        if os.fork() == 0:
                                            time.sleep(1000)
                                        n += 1
                                except OSError as e:
                                    say("children " + str(n))
                                time.sleep(1000)
                                """),
                "TasksMax=12");
        assertThat(stage.start("many")).isEqualTo(JobResult.DONE);
        until(() -> log().contains("children 11"));
        assertThat(Systemctl.of(stage).expect(0, "show", "many", "-p", "TasksCurrent,TasksMax"))
                .contains("TasksCurrent=12", "TasksMax=12");
    }

    @Test
    void aDelegatedCgroupBelongsToTheUserAndTheMainProcessStartsBelowIt() throws Exception {
        stage.service(
                "own",
                "User=nobody",
                "Delegate=memory pids",
                "DelegateSubgroup=main",
                "ExecStart=/bin/sh -c 'cd "
                        + Cgroup.mountPoint()
                        + "$(cut -d: -f3 /proc/self/cgroup)/.. && echo +memory > cgroup.subtree_control"
                        + " && mkdir below && echo made && exec sleep 1000'",
                "ExecStartPost=/bin/sh -c 'grep -o own.service.* /proc/self/cgroup'");
        assertThat(stage.start("own")).isEqualTo(JobResult.DONE);
        until(() -> log().contains("| made"));
        assertThat(log()).contains("own.service/.control");
        assertThat(cgroup("own.service").resolve("below/memory.max")).exists();
        assertThat(cgroup("own.service").resolve("below/cpu.max")).doesNotExist();
        assertThat(stage.stop("own")).isEqualTo(JobResult.DONE);
    }

    @Test
    void aSliceLimitsItsUnitsAndWithholdsControllers() throws Exception {
        stage.unit("system.slice", "[Slice]\nMemoryMax=256M\nDisableControllers=cpu\n");
        stage.service("a", "ExecStart=/bin/sleep 1000", "CPUWeight=20", "MemoryLow=1M");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        until(() -> file("", "memory.max").equals(Integer.toString(256 << 20)));
        assertThat(file("a.service", "memory.low")).isEqualTo(Integer.toString(1 << 20));
        assertThat(cgroup("a.service").resolve("cpu.weight")).doesNotExist();
        assertThat(Systemctl.of(stage).expect(0, "show", "system.slice", "-p", "MemoryMax"))
                .isEqualTo("MemoryMax=268435456\n");
    }

    @Test
    @Needs(files = "/proc/pressure/memory")
    void aServiceLearnsThatItsMemoryIsShort() throws Exception {
        stage.service(
                "short",
                "ExecStart="
                        + stage.python(
                                "short",
                                """
                                import base64, select
                                watched = os.open(os.environ["MEMORY_PRESSURE_WATCH"], os.O_RDWR | os.O_NONBLOCK)
                                os.write(watched, base64.b64decode(os.environ["MEMORY_PRESSURE_WRITE"]))
                                events = select.poll()
                                events.register(watched, select.POLLPRI)
                                child = os.fork()
                                if child == 0:
                                    x = bytearray(60 << 20)
                                    time.sleep(1000)
                                say("event " + str(events.poll()[0][1] & select.POLLPRI != 0))
                                os.kill(child, signal.SIGKILL)
                                time.sleep(1000)
                                """),
                "MemoryHigh=30M",
                "MemorySwapMax=0",
                "MemoryPressureThresholdSec=1ms");
        assertThat(stage.start("short")).isEqualTo(JobResult.DONE);
        until(() -> log().contains("| event True"));
        assertThat(stage.stop("short")).isEqualTo(JobResult.DONE);
    }
}
