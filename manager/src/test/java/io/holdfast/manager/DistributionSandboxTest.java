package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Feature;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.unit.Diagnostic;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Units of the distribution, in the sandboxes that they configure. */
@Timeout(120)
@Needs(root = true, cgroup2 = true, features = Feature.MOUNT_TREES)
class DistributionSandboxTest {
    private static final Path UNITS = Path.of("/usr/lib/systemd/system");

    @TempDir private Path folder;
    private Stage stage;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    /** Starts a unit as it is packaged; returns which of its settings are not applied. */
    private Set<String> start(String name) throws Exception {
        String text = Files.readString(UNITS.resolve(name + ".service"));
        stage.unit(name + ".service", "[Unit]\nDefaultDependencies=no\n" + text);
        assertThat(stage.start(name)).as("%s", stage.happenings()).isEqualTo(JobResult.DONE);
        Set<String> missing = new TreeSet<>();
        for (Diagnostic diagnostic : stage.status(name).diagnostics()) {
            if (diagnostic.kind() == Diagnostic.Kind.NOT_APPLIED) {
                missing.add(diagnostic.message().replaceFirst("=.*", ""));
            }
        }
        return missing;
    }

    private List<String> mounts(String name) throws Exception {
        try (PidFd main = stage.hold(name)) {
            return Files.readAllLines(Path.of("/proc/" + main.pid() + "/mounts"));
        }
    }

    @Test
    @Needs(programs = "redis-server")
    void redisIsKeptAwayFromTheRest() throws Exception {
        assertThat(start("redis-server"))
                .doesNotContain(
                        "SystemCallFilter",
                        "PrivateTmp",
                        "PrivateDevices",
                        "ProtectHome",
                        "ProtectSystem",
                        "ReadWritePaths",
                        "ReadWriteDirectories",
                        "ProtectClock",
                        "ProtectHostname",
                        "ProtectControlGroups",
                        "ProtectKernelModules",
                        "ProtectKernelTunables");
        assertThat(mounts("redis-server"))
                .anyMatch(line -> line.contains(" /home ") && line.contains(" ro,"))
                .anyMatch(line -> line.contains(" /run/redis ") && line.contains(" rw,"))
                .anyMatch(line -> line.contains(" /dev tmpfs ro,nosuid,noexec"));
    }

    @Test
    @Needs(programs = "memcached")
    void memcachedIsKeptAwayFromTheRest() throws Exception {
        assertThat(start("memcached")).isEmpty();
        assertThat(mounts("memcached"))
                .anyMatch(line -> line.contains(" /etc ") && line.contains(" ro,"));
    }
}
