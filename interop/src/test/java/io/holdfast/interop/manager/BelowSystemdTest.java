package io.holdfast.interop.manager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Holdfast as a service of the machine's systemd, with the unit that scripts/install writes. */
@Timeout(180)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"systemctl", "unshare", "nsenter", "mount", "timeout", "awk", "pgrep"})
class BelowSystemdTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final String UNIT = "holdfast.service";

    @TempDir private Path folder;
    private @Nullable SystemdContainer container;

    @BeforeEach
    void boot() throws Exception {
        assumeTrue(
                Files.exists(ROOT.resolve(".holdfast/launch")),
                "the command must have been built: ./holdfast --version");
        container = SystemdContainer.boot(folder, ROOT, Path.of(System.getProperty("java.home")));
        String unit =
                Files.readString(ROOT.resolve("scripts/holdfast.service.in"))
                        .replace("@prefix@/bin/holdfast", ROOT.resolve("holdfast").toString());
        Path dropIns = Files.createDirectory(container.units().resolve(UNIT + ".d"));
        Files.writeString(container.units().resolve(UNIT), unit);
        Files.writeString(
                dropIns.resolve("test.conf"),
                """
                [Service]
                Environment=HOLDFAST_AS_BUILT=1
                RestartSec=100ms
                StandardOutput=append:/case/log
                StandardError=append:/case/log
                """);
        in("systemctl", "daemon-reload");
        in(
                "sh",
                "-c",
                "mkdir -p /etc/systemd/system && printf '[Service]\\nExecStart=sleep 1000\\n'"
                        + " >/etc/systemd/system/worker.service"); // ours alone reads it
    }

    @AfterEach
    void end() throws Exception {
        if (container != null) {
            container.close();
        }
    }

    private String in(String... command) {
        try {
            return Objects.requireNonNull(container).run(command);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted: is it a time-out?", e);
        }
    }

    @Test
    void itIsReadyWhenItSaysSoReloadsAndStopsInOrder() {
        start();
        assertThat(in("systemctl", "is-active", UNIT)).isEqualTo("active");
        assertThat(in("systemctl", "reload", UNIT)).isEmpty();
        Await.until(() -> log().contains("holdfast: reloaded "));
        Await.until(() -> property("ActiveState").equals("active"));
        assertThat(in("systemctl", "stop", UNIT)).isEmpty();
        assertThat(property("Result")).isEqualTo("success");
        assertThat(property("NFileDescriptorStore")).isEqualTo("0");
        assertThat(in("sh", "-c", "pgrep -x sleep")).isEmpty();
        assertThat(log()).contains("worker.service: stopped");
    }

    @Test
    void aKilledManagerIsNoNewsForSystemd() {
        start();
        String keeper = property("MainPID");
        String worker = worker();
        in("sh", "-c", "read -r manager rest </proc/$0/task/$0/children; kill -9 $manager", keeper);
        Await.until(() -> log().contains(": adopted "));
        assertThat(worker()).isEqualTo(worker);
        assertThat(property("MainPID")).isEqualTo(keeper);
        assertThat(property("NRestarts")).isEqualTo("0");
        assertThat(property("ActiveState")).isEqualTo("active");
    }

    @Test
    void aKilledKeeperIsStartedAgainAndAdoptsWhatSystemdHasStored() {
        start();
        String worker = worker();
        in("kill", "-9", property("MainPID"));
        Await.until(() -> log().contains(": adopted "));
        assertThat(property("NRestarts")).isEqualTo("1");
        assertThat(worker()).isEqualTo(worker);
        assertThat(in("systemctl", "stop", UNIT)).isEmpty();
        assertThat(in("sh", "-c", "pgrep -x sleep")).isEmpty();
    }

    private void start() {
        assertThat(in("systemctl", "start", UNIT)).as("%s", log()).isEmpty();
        Await.until(() -> log().contains("holdfast: ready"));
        assertThat(holdfast("start", "worker")).isEmpty();
    }

    private String worker() {
        String pid = in("sh", "-c", "pgrep -x sleep");
        assertThat(holdfast("status", "worker")).contains("active", pid);
        return pid;
    }

    private String holdfast(String... words) {
        return in(
                Stream.concat(
                                Stream.of(
                                        "env",
                                        "HOLDFAST_AS_BUILT=1",
                                        ROOT.resolve("holdfast").toString()),
                                Stream.of(words))
                        .toArray(String[]::new));
    }

    private String property(String name) {
        return in("systemctl", "show", "-P", name, UNIT);
    }

    private String log() {
        try {
            return Files.readString(folder.resolve("case/log"));
        } catch (IOException e) {
            return ""; // nothing has been written yet
        }
    }
}
