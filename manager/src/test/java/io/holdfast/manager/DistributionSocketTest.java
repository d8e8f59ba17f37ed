package io.holdfast.manager;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The distribution's own units as packaged: the system bus, started by its socket. */
@Timeout(120)
class DistributionSocketTest {
    private static final Path SYSTEM = Path.of("/usr/lib/systemd/system");

    @TempDir private Path folder;

    private static String query(Path bus) throws Exception {
        Process process =
                new ProcessBuilder(
                                "dbus-send",
                                "--bus=unix:path=" + bus,
                                "--print-reply=literal",
                                "--dest=org.freedesktop.DBus",
                                "/org/freedesktop/DBus",
                                "org.freedesktop.DBus.GetId")
                        .redirectErrorStream(true)
                        .start();
        String answer = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
        assertThat(process.waitFor()).as(answer).isZero();
        return answer;
    }

    @Test
    @Needs(
            root = true,
            cgroup2 = true,
            programs = {"dbus-daemon", "dbus-send", "setpriv"})
    void theBusIsStartedByItsFirstClientAndSurvivesAKill() throws Exception {
        assumeThat(SYSTEM.resolve("dbus.service")).as("of Debian's package dbus").exists();
        // its user must reach the notify socket
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        try (Stage stage = Stage.in(folder)) {
            Path bus = folder.resolve("bus");
            for (String unit : new String[] {"dbus.service", "dbus.socket"}) {
                stage.unit(unit, Files.readString(SYSTEM.resolve(unit)));
            }
            stage.unit("dbus.socket.d/here.conf", "[Socket]\nListenStream=\nListenStream=" + bus);

            assertThat(stage.start("dbus.socket")).isEqualTo(JobResult.DONE);
            assertThat(stage.state("dbus.socket")).isEqualTo("active/listening success");
            String first = query(bus);
            assertThat(first).matches("[0-9a-f]{32}");
            assertThat(stage.start("dbus")).as("is it up?").isEqualTo(JobResult.DONE);
            assertThat(stage.state("dbus")).isEqualTo("active/running success");
            assertThat(query(bus)).as("the same bus").isEqualTo(first);

            try (PidFd main = stage.hold("dbus")) {
                boolean _ = main.signal(Signal.KILL);
            }
            assertThat(query(bus)).as("another one, at the same socket").isNotEqualTo(first);
        }
    }
}
