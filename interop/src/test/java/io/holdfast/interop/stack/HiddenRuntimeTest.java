package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A stack whose runtime folder is in a place that the sandboxes of its services hide. */
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter", "openssl", "pkaction"})
class HiddenRuntimeTest {
    @ParameterizedTest
    @ValueSource(strings = {"/tmp", "/home"})
    void itsServicesSeeIt(String top) throws Exception {
        Path folder = Files.createTempDirectory(Path.of(top), "holdfast");
        try (StackStage stage = StackStage.open(StackStage.Accounts.WITH)) {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
            String runtime = folder.resolve("run").toString();
            RunningProgram up =
                    stage.start(
                            List.of(
                                    StackStage.HOLDFAST,
                                    "up",
                                    "--runtime-dir",
                                    runtime,
                                    "--slice",
                                    stage.slice()));
            up.await("holdfast: ready");

            assertThat(
                            stage.output(
                                    "env",
                                    "DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + runtime + "/bus",
                                    "pkaction",
                                    "--action-id",
                                    "org.freedesktop.policykit.exec"))
                    .isEqualTo("org.freedesktop.policykit.exec");
            StackStage.stop(up);
        } finally {
            try (Stream<Path> left = Files.walk(folder)) {
                for (Path file : left.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }
}
