package io.holdfast.interop.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Servers of the distribution, with their own unit files, in a container with the default
 * capabilities of the common runtimes: each is started, answers a client, is restarted and stopped,
 * and leaves no process.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"crun", "unshare", "nsenter", "systemctl"})
class PlainContainerTest {
    private static final List<String> OF_THE_STACK = List.of("sh", "java", "bash", "ps");

    @TempDir private static Path folder;
    private PlainContainer container;

    @BeforeAll
    void start() throws Exception {
        container = PlainContainer.start(folder, "up", "holdfast.target");
        container.init().await("holdfast: ready");
    }

    @AfterAll
    void stop() throws Exception {
        if (container != null) {
            try {
                assertThat(container.stop()).isEqualTo(new Exit.Exited(0));
            } finally {
                container.close();
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
                    redis-server.service | redis-cli ping                          | PONG
                    memcached.service    | echo version >/dev/tcp/localhost/11211  | ""
                    nginx.service        | exec 3<>/dev/tcp/localhost/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3 | HTTP/1.
                    apache2.service      | exec 3<>/dev/tcp/localhost/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3 | HTTP/1.
                    haproxy.service      | test -S /run/haproxy/admin.sock         | ""
                    cron.service         | test -s /run/crond.pid                  | ""
                    postfix.service      | exec 3<>/dev/tcp/localhost/25; head -c 3 <&3 | 220
                    tor@default.service  | exec 3<>/dev/tcp/localhost/9050         | ""
                    """)
    void aServerStartsAnswersRestartsAndStops(String unit, String client, String answer)
            throws Exception {
        assumeTrue(
                Files.exists(Path.of("/usr/lib/systemd/system/" + unit)),
                "needs Debian's package of " + unit);
        assertRunsAndStops(unit, client, answer);
    }

    @Test
    void aClusterOfPostgresqlStartsAnswersRestartsAndStops() throws Exception {
        assumeTrue(Files.exists(Path.of("/usr/bin/pg_createcluster")), "needs postgresql");
        String version =
                container.run(
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

    private void assertRunsAndStops(String unit, String client, String answer) throws Exception {
        try {
            holdfast("start", unit);
            assertThat(systemctl("is-active", unit)).isEqualTo("active");
            Await.until(() -> container.answers(client, answer));
            holdfast("restart", unit);
            Await.until(() -> container.answers(client, answer));
        } finally {
            holdfast("stop", unit);
        }
        assertThat(systemctl("show", "-P", "ActiveState", unit)).isEqualTo("inactive");
        assertThat(container.run("ps -eo comm=").lines())
                .as(() -> unit + " has left processes: " + container.init().written())
                .allMatch(OF_THE_STACK::contains);
    }

    private void holdfast(String verb, String unit) throws Exception {
        String _ = container.run(PlainContainer.HOLDFAST + " " + verb + " " + unit);
    }

    private String systemctl(String... words) throws Exception {
        return container.run("systemctl " + String.join(" ", words));
    }
}
