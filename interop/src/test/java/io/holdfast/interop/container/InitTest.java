package io.holdfast.interop.container;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.interop.Checkout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The init of a container with the default capabilities of the common runtimes boots what the
 * image, which is this machine's system, enables; the unmodified systemctl(1) works inside.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(600)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"crun", "unshare", "nsenter", "systemctl"})
class InitTest {
    private static final String SLEEPER =
            "printf '[Service]\\nExecStart=/bin/sleep 1000\\n[Install]\\nWantedBy=%s\\n' ";

    @TempDir private static Path folder;
    private PlainContainer container;

    @BeforeAll
    void start() throws Exception {
        assumeTrue(
                Files.exists(Path.of("/usr/lib/systemd/system/multi-user.target")),
                "needs systemd's units");
        Checkout.requireForAll();
        container = PlainContainer.start(folder, "init");
        container.init().await("holdfast: ready");
    }

    @AfterAll
    void stop() throws Exception {
        if (container != null) {
            container.end();
        }
    }

    private String systemctl(String words) throws InterruptedException {
        return container.run("systemctl --no-pager " + words + " 2>&1");
    }

    @Test
    void theTargetsOfABootAreReached() throws Exception {
        assertThat(
                        systemctl(
                                "is-active default.target multi-user.target basic.target"
                                        + " sysinit.target sockets.target"))
                .isEqualTo("active\nactive\nactive\nactive\nactive");
        Await.until(() -> container.answers("systemctl list-jobs 2>&1", "No jobs running."));
    }

    @Test
    void anInstallerEnablesAndStartsItsUnit() throws Exception {
        String _ =
                container.run(
                        "mkdir -p /usr/local/lib/systemd/system; "
                                + SLEEPER
                                + "multi-user.target >/usr/local/lib/systemd/system/agent.service");
        assertThat(systemctl("daemon-reload")).isEmpty();
        assertThat(systemctl("enable --now agent"))
                .contains("Created symlink")
                .contains("multi-user.target.wants/agent.service");
        assertThat(systemctl("is-enabled agent")).isEqualTo("enabled");
        assertThat(systemctl("is-active agent")).isEqualTo("active");
        assertThat(systemctl("show --value -p UnitFileState agent")).isEqualTo("enabled");
        assertThat(systemctl("restart agent")).isEmpty();
        assertThat(systemctl("reenable agent")).contains("Created symlink");
        assertThat(systemctl("disable --now agent")).contains("Removed");
        assertThat(systemctl("show --value -p ActiveState agent")).isEqualTo("inactive");
        assertThat(systemctl("mask agent")).contains("/dev/null");
        assertThat(container.run("systemctl start agent 2>&1 || true")).contains("is masked");
        assertThat(systemctl("unmask agent")).contains("Removed");
        assertThat(systemctl("preset agent")).contains("Created symlink");
    }

    @Test
    void ourOwnCommandMakesTheSameLinks() throws Exception {
        String _ = container.run(SLEEPER + "multi-user.target >/etc/systemd/system/own.service");
        String holdfast = PlainContainer.HOLDFAST;
        assertThat(container.run(holdfast + " enable --now own"))
                .contains("made /etc/systemd/system/multi-user.target.wants/own.service");
        assertThat(systemctl("is-active own")).isEqualTo("active");
        assertThat(systemctl("is-enabled own")).isEqualTo("enabled");
        assertThat(container.run(holdfast + " disable --now own")).contains("removed");
        assertThat(systemctl("show --value -p ActiveState own")).isEqualTo("inactive");
    }

    @Test
    void clientsOfTheSystemBusWorkWithoutAVariable() throws Exception {
        assertThat(
                        container.run(
                                "busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1"
                                        + " org.freedesktop.systemd1.Manager GetDefaultTarget"))
                .contains(".target");
        assertThat(
                        container.run(
                                "dbus-send --system --print-reply --dest=org.freedesktop.DBus /"
                                        + " org.freedesktop.DBus.ListNames"))
                .contains("org.freedesktop.systemd1");
        assertThat(container.run("loginctl --no-pager 2>&1")).contains("No sessions");
    }

    @Test
    void anOrdinaryUserEnablesAndStartsAUserUnit() throws Exception {
        String script =
                """
                set -e
                home=$(mktemp -d); run=$(mktemp -d); chown 4711 $home $run
                cat >$home/script <<'END'
                cd; set -e
                %s up --user >log 2>&1 & manager=$!
                until grep -q 'holdfast: ready' log; do sleep 0.1; done
                mkdir -p .config/systemd/user
                %s default.target >.config/systemd/user/agent.service
                systemctl --user daemon-reload
                systemctl --user enable --now agent.service
                systemctl --user restart agent
                systemctl --user is-active agent
                systemctl --user is-enabled agent
                systemctl --user show -p ActiveState agent
                systemctl --user disable --now agent.service
                kill $manager; wait $manager
                END
                setpriv --reuid=4711 --regid=4711 --clear-groups \\
                    env -i PATH=$PATH HOME=$home XDG_RUNTIME_DIR=$run bash $home/script 2>&1
                """
                        .formatted(PlainContainer.HOLDFAST, SLEEPER);
        assertThat(container.run(script))
                .contains("default.target.wants/agent.service")
                .contains("\nactive\nenabled\nActiveState=active\n")
                .contains("Removed");
    }
}
