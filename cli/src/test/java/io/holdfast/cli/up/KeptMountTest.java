package io.holdfast.cli.up;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.file.MountTable;
import io.holdfast.manager.unit.file.MountTable.Mounted;
import io.holdfast.manager.unit.section.MountUnit;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests mounts whose manager is killed. */
@Timeout(180)
@Needs(root = true, cgroup2 = true)
class KeptMountTest {
    @TempDir private Path folder;

    private Invocation command(String verb, String... rest) {
        String[] all = new String[rest.length + 3];
        all[0] = verb;
        all[1] = "--runtime-dir";
        all[2] = folder + "/run";
        System.arraycopy(rest, 0, all, 3, rest.length);
        return Invocation.of(all);
    }

    @Test
    void aMountStaysAndIsUnmountedByTheNextManager() throws Exception {
        Files.setAttribute(folder, "unix:mode", 01777);
        Path where = folder.toRealPath().resolve("data");
        String unit = MountUnit.nameOf(where.toString());
        Files.writeString(
                folder.resolve(unit),
                "[Unit]\nDefaultDependencies=no\n[Mount]\nWhat=none\nType=tmpfs\nWhere=" + where);
        Optional<Mounted> above = MountTable.read().at("/tmp");
        String slice = "hfmount" + ProcessHandle.current().pid() + ".slice";
        try (CommandProcess up =
                CommandProcess.start(
                        "up",
                        "--runtime-dir",
                        folder + "/run",
                        "--slice",
                        slice,
                        "--units",
                        folder.toString(),
                        unit)) {
            up.await("holdfast: ready");
            assertThat(MountTable.read().at("/tmp"))
                    .as("tmp.mount of the distribution is not pulled in")
                    .isEqualTo(above);
            Files.createFile(where.resolve("file"));
            KeeperTest.kill(up, 1);
            assertThat(where.resolve("file")).exists();
            assertThat(command("status", unit).out()).contains("Active: active (mounted)");
            assertThat(command("stop", unit).code()).isZero();
            assertThat(MountTable.read().at(where.toString())).isEmpty();
            assertThat(command("start", unit).code()).isZero();
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
            Await.until(() -> MountTable.read().at(where.toString()).isEmpty());
        }
    }
}
