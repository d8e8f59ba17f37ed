package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Servers of the distribution, with their own unit files and their own configuration, below a
 * keeper: each is started, reloaded, restarted and stopped by the command of this checkout. They
 * have a network of their own, so that no port is taken.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter", "ip", "systemctl"})
class PackagedServersTest {
    private static final String RUNNING = "ActiveState=active Result=success SubState=running";
    private static final String STOPPED = "ActiveState=inactive Result=success SubState=dead";

    private RunningProgram up;
    private StackStage stage;

    @BeforeAll
    void start() throws Exception {
        stage = StackStage.open(StackStage.Accounts.WITH);
        stage.write("/etc/systemd/system/none.target", "[Unit]\n");
        List<String> command = new ArrayList<>();
        command.addAll(List.of("unshare", "--net", "sh", "-c", "ip link set lo up; exec \"$@\""));
        command.addAll(List.of("sh", StackStage.HOLDFAST, "up", "--runtime-dir"));
        command.addAll(List.of(StackStage.RUNTIME, "--slice", stage.slice(), "none.target"));
        up = stage.start(command);
        up.await("holdfast: ready");
    }

    @AfterAll
    void end() throws Exception {
        if (stage != null) {
            StackStage.stop(up);
            stage.close();
            assertThat(stage.hasCgroup()).isFalse();
        }
    }

    /** Each with what its package and the start of the machine would have prepared. */
    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    nginx.service       | install -d /var/log/nginx
                    apache2.service     | install -d /var/log/apache2
                    haproxy.service     | install -d /run/haproxy
                    postfix.service     | mount -t tmpfs -o mode=755 none /var/spool/postfix; \
                    mount -t tmpfs -o uid=$(id -u postfix) none /var/lib/postfix
                    tor@default.service | install -d -o debian-tor /var/log/tor; \
                    mount -t tmpfs -o mode=700,uid=$(id -u debian-tor) none /var/lib/tor
                    """)
    void aServerIsStartedReloadedRestartedAndStopped(String unit, String prepare) throws Exception {
        assumeTrue(
                Files.exists(Path.of("/usr/lib/systemd/system/" + unit)),
                "needs Debian's package of " + unit);
        String _ = stage.output("sh", "-ec", prepare);
        assertRunsAndStops(unit);
    }

    @Test
    void aClusterOfPostgresqlIsStartedReloadedRestartedAndStopped() throws Exception {
        assumeTrue(Files.exists(Path.of("/usr/bin/pg_createcluster")), "needs postgresql");
        String version =
                stage.output(
                        "sh",
                        "-ec",
                        """
                        install -d -o postgres -g postgres /var/log/postgresql /run/postgresql
                        mount -t tmpfs -o uid=$(id -u postgres) none /var/lib/postgresql
                        rm -rf /etc/postgresql/*
                        version=$(ls /usr/lib/postgresql | sort -n | tail -1)
                        pg_createcluster "$version" holdfast >/dev/null 2>&1
                        echo "$version"
                        """);
        assertRunsAndStops("postgresql@" + version + "-holdfast.service");
    }

    private void assertRunsAndStops(String unit) throws Exception {
        holdfast("start", unit);
        assertThat(states(unit)).isEqualTo(RUNNING);
        String cgroup = cgroup(unit);
        try (PidFd main = stage.mainProcess(unit)) {
            holdfast("reload", unit);
            assertThat(statesAfterReload(unit)).isEqualTo(RUNNING);
            try (PidFd same = stage.mainProcess(unit)) {
                assertThat(same).isEqualTo(main);
            }
            holdfast("restart", unit);
            assertThat(states(unit)).isEqualTo(RUNNING);
            try (PidFd next = stage.mainProcess(unit)) {
                assertThat(main.state()).isEqualTo(PidFd.State.REAPED);
                holdfast("stop", unit);
                assertThat(next.state()).isEqualTo(PidFd.State.REAPED);
            }
        }
        assertThat(states(unit)).isEqualTo(STOPPED);
        assertThat(Path.of(Cgroup.mountPoint() + cgroup)).doesNotExist();
        assertThat(up.written()).doesNotContain(unit + ": does not stop");
    }

    private void holdfast(String verb, String unit) throws Exception {
        try (RunningProgram running =
                stage.start(
                        List.of(
                                StackStage.HOLDFAST,
                                verb,
                                "--runtime-dir",
                                StackStage.RUNTIME,
                                unit))) {
            assertThat(running.end())
                    .as(() -> verb + ": " + running.written() + "\n" + up.written())
                    .isEqualTo(new Exit.Exited(0));
        }
    }

    private String states(String unit) throws Exception {
        return stage.userctl("show", "--property=ActiveState,SubState,Result", unit)
                .lines()
                .sorted()
                .collect(Collectors.joining(" "));
    }

    /**
     * ExecReload= of haproxy and tor sends a signal and ends; the server may say RELOADING=1 only
     * after the job.
     */
    private String statesAfterReload(String unit) throws Exception {
        String states = states(unit);
        while (states.startsWith("ActiveState=reloading")) {
            states = states(unit);
        }
        return states;
    }

    private String cgroup(String unit) throws Exception {
        return stage.userctl("show", "--property=ControlGroup", "--value", unit);
    }
}
