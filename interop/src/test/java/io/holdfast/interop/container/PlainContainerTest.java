package io.holdfast.interop.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.testkit.Await;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Servers in a container with the default capabilities and seccomp filter of the runtimes. */
class PlainContainerTest extends ServersTest {
    PlainContainerTest() {
        super(
                PlainContainer.Setting.DEFAULT,
                Set.of(
                        "redis-server.service",
                        "memcached.service",
                        "nginx.service",
                        "apache2.service",
                        "postfix.service",
                        "tor@default.service"));
    }

    @Test
    void aClusterOfPostgresqlStartsAnswersRestartsAndStops() throws Exception {
        assumeTrue(Files.exists(Path.of("/usr/bin/pg_createcluster")), "needs postgresql");
        String version =
                container()
                        .run(
                                """
                                set -e
                                rm -rf /etc/postgresql/* /var/lib/postgresql/*
                                version=$(ls /usr/lib/postgresql | sort -n | tail -1)
                                pg_createcluster "$version" holdfast >/dev/null 2>&1
                                echo "$version"
                                """);
        assertRunsAndStops(
                "postgresql@" + version + "-holdfast.service",
                "setpriv --reuid=postgres --regid=postgres --clear-groups psql -Atc 'select 6 * 7'",
                "42");
    }

    @Test
    void whatTheContainerHasToGrantIsSaidByVerify() throws Exception {
        assumeTrue(
                Files.exists(Path.of("/usr/lib/systemd/system/redis-server.service")),
                "needs redis-server");
        String verify = PlainContainer.HOLDFAST + " verify redis-server";
        assertThat(container().run(verify))
                .contains(
                        "PrivateTmp= is not applied: the manager has no CAP_SYS_ADMIN; a container"
                                + " gets it with --cap-add SYS_ADMIN: /tmp is shared with everybody")
                .contains("SystemCallArchitectures= is not supported");
        assertThat(container().run(verify + " --strict >/dev/null || echo $?")).isEqualTo("1");
    }

    /** Each process forks twice, so that it loses its parent, and some drop all that marks them. */
    @Test
    void whatForksTwiceAndDropsItsEnvironmentEndsWithItsService() throws Exception {
        int rounds = Server.ALL ? 20 : 1;
        String _ =
                container()
                        .run(
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
                                """);
        for (int round = 0; round < rounds; round++) {
            holdfast("start", "forks.service");
            Await.until(() -> container().answers("test -e /run/forked", ""));
            holdfast("stop", "forks.service");
            assertNothingIsLeft("forks.service");
        }
    }
}
