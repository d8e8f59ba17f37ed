package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Needs;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A stack that root starts with an unusual umask: some inits have 0. */
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter", "openssl", "setpriv", "pkaction"})
class RootUmaskTest {
    @ParameterizedTest
    @ValueSource(strings = {"0", "077"})
    void aUserCanReplaceNoUnitFileAndTheStackWorks(String umask) throws Exception {
        try (StackStage stage = StackStage.open(StackStage.Accounts.WITH)) {
            RunningProgram up =
                    stage.start(
                            List.of(
                                    "sh",
                                    "-c",
                                    "umask " + umask + "; exec \"$@\"",
                                    "sh",
                                    StackStage.HOLDFAST,
                                    "up",
                                    "--runtime-dir",
                                    StackStage.RUNTIME,
                                    "--slice",
                                    stage.slice()));
            up.await("holdfast: ready");

            String[] writableFiles = {"find", StackStage.RUNTIME, "-type", "f", "-perm", "/022"};
            String[] writableFolders = {"find", StackStage.RUNTIME, "-type", "d", "-perm", "/022"};
            assertThat(stage.output(writableFiles)).isEmpty();
            assertThat(stage.output(writableFolders)).isEmpty();
            for (String attack :
                    List.of(
                            "echo >" + StackStage.RUNTIME + "/stack/evil.service",
                            "echo >" + StackStage.RUNTIME + "/stack/polkit.service",
                            "rm " + StackStage.RUNTIME + "/stack/polkit.service",
                            "mv " + StackStage.RUNTIME + "/units /run/old",
                            "echo >" + StackStage.RUNTIME + "/bus.conf",
                            "rm " + StackStage.RUNTIME + "/bus")) {
                assertThat(stage.run(asUser(attack))).as(attack).isNotEqualTo(new Exit.Exited(0));
            }
            assertThat(stage.output("pkaction", "--action-id", "org.freedesktop.policykit.exec"))
                    .isEqualTo("org.freedesktop.policykit.exec");
            StackStage.stop(up);
        }
    }

    private static String[] asUser(String script) {
        return StackStage.asUser("sh", "-c", script).toArray(String[]::new);
    }
}
