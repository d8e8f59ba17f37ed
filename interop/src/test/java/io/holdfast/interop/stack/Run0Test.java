package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/** A plain user's run0 without a set-user-ID program: our manager, our authority, and a rule. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter", "openssl", "setpriv", "systemctl", "run0"})
class Run0Test {
    private static final String ACTION = "io.holdfast.manager.run-command";

    private StackStage stage;
    private RunningProgram up;

    @BeforeAll
    void start() throws Exception {
        stage = StackStage.open(StackStage.Accounts.WITH);
        stage.write(
                "/etc/polkit-1/actions/io.holdfast.manager.policy",
                Files.readString(Path.of("../share/polkit-1/actions/io.holdfast.manager.policy")));
        stage.write(
                "/etc/polkit-1/rules.d/10-run.rules",
                """
                polkit.addRule(function (action, subject) {
                    if (action.id == "%s" && subject.user == "%s" && action.lookup("user") == "nobody"
                            && action.lookup("program") == "/usr/bin/id") {
                        return polkit.Result.YES;
                    }
                });
                """
                        .formatted(ACTION, StackStage.USER));
        up = stage.ready();
    }

    @AfterAll
    void end() {
        if (stage != null) {
            stage.close();
            assertThat(stage.hasCgroup()).isFalse();
        }
    }

    private static List<String> run0(String... words) {
        List<String> command = new ArrayList<>(List.of("run0", "--no-ask-password", "--chdir=/"));
        command.addAll(List.of(words));
        return StackStage.asUser(command);
    }

    @Test
    void aRuleAllowsOneProgramAsOneUser() throws Exception {
        try (RunningProgram run = stage.start(run0("--user=nobody", "/usr/bin/id", "-un"))) {
            assertThat(run.end())
                    .as(() -> run.written() + up.written())
                    .isEqualTo(new Exit.Exited(0));
            assertThat(run.written()).contains("nobody");
        }
    }

    @Test
    void anotherProgramAnotherUserAndAnotherSettingAreRefused() throws Exception {
        isRefused(ACTION, "--user=nobody", "/usr/bin/env");
        isRefused(ACTION, "/usr/bin/id");
        isRefused(
                "org.freedesktop.systemd1.manage-units",
                "--user=nobody",
                "--setenv=LD_PRELOAD=/tmp/evil.so",
                "/usr/bin/id");
    }

    private void isRefused(String action, String... words) throws Exception {
        try (RunningProgram run = stage.start(run0(words))) {
            assertThat(run.end().isSuccess()).as(run::written).isFalse();
        }
        up.await("user %d: %s (start run-".formatted(StackStage.UID, action));
    }
}
