package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Needs;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A stack whose runtime folder is where the sandboxes of its services hide what is not theirs. */
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter", "openssl", "pkaction"})
class HiddenRuntimeTest {
    @ParameterizedTest
    @ValueSource(strings = {"/tmp", "/home"})
    void itsServicesSeeIt(String top) throws Exception {
        try (StackStage stage = StackStage.open(StackStage.Accounts.WITH)) {
            String runtime = top + "/some/run";
            assertThat(stage.run("mount", "-t", "tmpfs", "-o", "mode=755", "none", top))
                    .isEqualTo(new Exit.Exited(0));
            assertThat(stage.run("mkdir", "-p", runtime)).isEqualTo(new Exit.Exited(0));
            Running up =
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
        }
    }
}
