package io.holdfast.interop.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Needs;
import io.holdfast.interop.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The unmodified maintainer scripts of Debian's packages, and what they call, in a container whose
 * init is ours: units are enabled, started, restarted on upgrade, stopped and disabled.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"crun", "unshare", "nsenter", "systemctl", "deb-systemd-helper"})
class MaintainerScriptsTest {
    private static final Path PACKAGES = Path.of("target/packages").toAbsolutePath();

    /** For one package: squid waits half a minute for its clients each time that it is stopped. */
    private static final Duration LIMIT = Duration.ofMinutes(8);

    @TempDir private static Path folder;
    private PlainContainer container;

    @BeforeAll
    void start() throws Exception {
        Checkout.requireForAll();
        container = PlainContainer.start(folder, "init", "holdfast.target");
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

    private String script(String name, String... words) throws Exception {
        return container.run(
                "cat >/run/script.sh <<'END'\n"
                        + PlainContainer.resource(name)
                        + "END\nbash /run/script.sh "
                        + String.join(" ", words)
                        + " 2>&1",
                LIMIT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"first.service", "second-helper.service"})
    void aUnitIsEnabledStartedRestartedStoppedAndForgotten(String unit) throws Exception {
        assertThat(script("maintainer-scripts.sh", unit))
                .isEqualTo(
                        """
                        installed: enabled active
                        upgraded: enabled active
                        upgraded when disabled: disabled active
                        stopped: disabled inactive
                        try-restart when stopped: disabled inactive
                        purged: not-found inactive\
                        """);
    }

    /** The generator of systemd makes its unit. */
    @Test
    void aScriptInInitDIsAService() throws Exception {
        String script =
                """
                rm -f /usr/sbin/policy-rc.d
                cat >/etc/init.d/old-style <<'END'
                #!/bin/sh
                ### BEGIN INIT INFO
                # Provides: old-style
                # Required-Start: $remote_fs
                # Required-Stop: $remote_fs
                # Default-Start: 2 3 4 5
                # Default-Stop: 0 1 6
                # Short-Description: Old
                ### END INIT INFO
                case $1 in
                    start) sleep 1000 & echo $! >/run/old-style.pid ;;
                    stop) kill $(cat /run/old-style.pid) ;;
                    status) kill -0 $(cat /run/old-style.pid) ;;
                esac
                END
                chmod +x /etc/init.d/old-style
                update-rc.d old-style defaults 2>&1
                systemctl daemon-reload
                invoke-rc.d old-style start 2>&1 | grep -v 'current runlevel'
                systemctl is-active old-style
                systemctl show -P UnitFileState old-style
                service old-style stop
                systemctl is-active old-style || true
                """;
        assertThat(container.run(script)).isEqualTo("active\ngenerated\ninactive");
    }

    /** Each is installed on this machine already, with all that it depends on. */
    @ParameterizedTest
    @EnabledIfSystemProperty(named = "holdfast.long", matches = "true")
    @ValueSource(
            strings = {
                "memcached",
                "redis-server",
                "mosquitto",
                "haproxy",
                "rsyslog",
                "cron",
                "unbound",
                "tor",
                "prometheus-node-exporter",
                "squid",
                "avahi-daemon",
                "php8.4-fpm"
            })
    void aPackageIsInstalledUpgradedAndPurged(String name) throws Exception {
        Path file = download(name);
        assertThat(script("package.sh", name, name + ".service", file.toString()))
                .isEqualTo(
                        """
                        purged: not-found inactive
                        installed: enabled active
                        upgraded: enabled active
                        %supgraded when disabled: disabled active
                        removed: inactive
                        purged: not-found inactive\
                        """
                                .formatted(
                                        // its scripts reload it
                                        name.equals("haproxy") ? "was not restarted\n" : ""));
    }

    /** Returns the file of a package, in a folder that the container has, too. */
    private static Path download(String name) throws IOException, InterruptedException {
        assumeTrue(
                run(Path.of("/"), "dpkg-query", "-W", "-f", "${db:Status-Status}", name) == 0,
                "needs the package " + name + " on this machine");
        Path own = Files.createDirectories(PACKAGES.resolve(name));
        if (isEmpty(own)) {
            int status = run(own, "apt-get", "download", "-q", name);
            assumeTrue(status == 0 && !isEmpty(own), "needs a mirror that has " + name);
        }
        try (Stream<Path> files = Files.list(own)) {
            return files.filter(file -> file.toString().endsWith(".deb")).findFirst().orElseThrow();
        }
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findAny().isEmpty();
        }
    }

    private static int run(Path folder, String... words) throws IOException, InterruptedException {
        return new ProcessBuilder(List.of(words))
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
    }
}
