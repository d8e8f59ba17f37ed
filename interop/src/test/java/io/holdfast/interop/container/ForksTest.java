package io.holdfast.interop.container;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Needs;
import io.holdfast.interop.Checkout;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Processes in a container that lose their parents, sessions, environments and users. */
@Timeout(1200)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"crun", "unshare", "nsenter", "python3", "su"})
class ForksTest {
    private static final int ROUNDS = Server.ALL ? 20 : 1;

    /** Gives the container a writable cgroup, as {@code --cgroupns=private} with a mount does. */
    private static final List<String> WITH_CGROUP =
            List.of(
                    """
                    "type": "bind",
                          "source": "/sys/fs/cgroup",
                          "options": ["rbind", "ro", "nosuid", "noexec", "nodev"]
                    """
                            .strip(),
                    """
                    "type": "cgroup", "source": "cgroup", "options": ["rw", "nosuid", "noexec", "nodev"]
                    """
                            .strip(),
                    "{\"type\": \"network\"}",
                    "{\"type\": \"network\"}, {\"type\": \"cgroup\"}");

    /** Of 500 processes, some lose their environment, some run a program that is set-user-ID. */
    private static final String UNITS =
            """
            cat >/run/forks.py <<'END'
            import os, signal
            for i in range(500):
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        if i % 5 == 0:
                            os.execve('/usr/bin/sleep', ['sleep', '1000'], {})
                        if i % 50 == 1:
                            su = ['su', '-s', '/bin/sh', '-c', 'sleep 1000', 'nobody']
                            os.execve('/usr/bin/su', su, {})
                        signal.pause()
                    os._exit(0)
                os.wait()
            open('/run/forked', 'w').close()
            signal.pause()
            END
            mkdir -p /run/systemd/system
            cat >/run/systemd/system/forks.service <<'END'
            [Unit]
            StartLimitIntervalSec=0
            [Service]
            ExecStart=/usr/bin/python3 /run/forks.py
            ExecStopPost=/bin/rm -f /run/forked
            END
            """;

    private static String withCgroup(String config) {
        return config.replace(WITH_CGROUP.get(0), WITH_CGROUP.get(1))
                .replace(WITH_CGROUP.get(2), WITH_CGROUP.get(3));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatForksTwiceAndDropsItsEnvironmentEndsWithItsService(
            boolean hasCgroup, @TempDir Path folder) throws Exception {
        Checkout.requireForAll();
        try (PlainContainer container =
                PlainContainer.start(
                        PlainContainer.Setting.DEFAULT,
                        folder,
                        List.of(PlainContainer.HOLDFAST, "up", "holdfast.target"),
                        hasCgroup ? ForksTest::withCgroup : config -> config)) {
            container.init().await("holdfast: ready");
            assertThat(container.init().written().contains("no cgroups for services"))
                    .isNotEqualTo(hasCgroup);
            String _ = container.run(UNITS);
            for (int round = 0; round < ROUNDS; round++) {
                String _ =
                        container.run(
                                "systemctl start forks.service;"
                                        + " until [ -e /run/forked ]; do sleep 0.1; done;"
                                        + " systemctl stop forks.service");
                container.awaitOnly(Set.of("sh", "java", "bash", "ps"));
            }
            container.end();
        }
    }
}
