package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
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

/** A plain user's systemctl, our manager, our authority, and a rule about unit and verb. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter", "openssl", "setpriv", "systemctl"})
class RuledUnitsTest {
    private static final String RULED = "hfruled.service";
    private static final String OTHER = "hfother.service";
    private static final String LATE = "hflate.service";
    private static final String MANAGE = "org.freedesktop.systemd1.manage-units";
    private static final int NOBODY = 65534;

    private StackStage stage;
    private RunningProgram up;

    @BeforeAll
    void start() throws Exception {
        stage = StackStage.open(StackStage.Accounts.WITH);
        stage.write("/etc/polkit-1/rules.d/10-ruled.rules", rule(RULED));
        for (String unit : List.of(RULED, OTHER, LATE)) {
            stage.write(
                    "/etc/systemd/system/" + unit,
                    """
                    [Service]
                    ExecStart=/bin/sleep 1000
                    ExecReload=/bin/touch /run/stage/reloaded-%N
                    SuccessExitStatus=KILL
                    """);
        }
        up = stage.ready();
    }

    @AfterAll
    void end() {
        if (stage != null) {
            stage.close();
            assertThat(stage.hasCgroup()).isFalse();
        }
    }

    private static String rule(String unit) {
        return """
        polkit.addRule(function (action, subject) {
            if (action.id == "%s" && subject.user == "%s" && action.lookup("unit") == "%s"
                    && ["start", "stop", "restart", "reload", "kill"].indexOf(action.lookup("verb")) >= 0) {
                return polkit.Result.YES;
            }
        });
        """
                .formatted(MANAGE, StackStage.USER, unit);
    }

    private void does(String... words) throws Exception {
        try (RunningProgram systemctl = stage.start(StackStage.asUser(systemctl(words)))) {
            assertThat(systemctl.end())
                    .as(() -> systemctl.written() + up.written())
                    .isEqualTo(new Exit.Exited(0));
        }
    }

    private static List<String> systemctl(String... words) {
        return Stream.concat(Stream.of("systemctl", "--no-ask-password"), List.of(words).stream())
                .toList();
    }

    /** Asserts a refusal; the manager logs it with the unit and the verb. */
    private void isRefused(List<String> command, long uid, String verb, String unit)
            throws Exception {
        try (RunningProgram systemctl = stage.start(command)) {
            assertThat(systemctl.end().isSuccess()).as(systemctl::written).isFalse();
        }
        up.await("user %d: %s (%s %s) denied: ".formatted(uid, MANAGE, verb, unit));
    }

    private void isRefused(String verb, String unit) throws Exception {
        isRefused(StackStage.asUser(systemctl(verb, unit)), StackStage.UID, verb, unit);
    }

    private String activeState(String unit) throws InterruptedException {
        return stage.userctl("show", "--property=ActiveState", "--value", unit);
    }

    @Test
    void theUserDoesWithTheUnitWhatTheRuleAllows() throws Exception {
        does("start", RULED);
        assertThat(activeState(RULED)).isEqualTo("active");
        try (PidFd first = stage.mainProcess(RULED)) {
            does("reload", RULED);
            assertThat(stage.file("/run/stage/reloaded-hfruled")).exists();
            assertThat(first.isAlive()).isTrue();

            does("restart", RULED);
            assertThat(first.isAlive()).isFalse();
        }
        try (PidFd second = stage.mainProcess(RULED)) {
            does("kill", "--signal=KILL", RULED);
            assertThat(second.await(Duration.ofSeconds(60))).isPresent();
        }
        does("start", RULED);
        try (PidFd third = stage.mainProcess(RULED)) {
            does("stop", RULED);
            assertThat(third.isAlive()).isFalse();
        }
        assertThat(activeState(RULED)).isEqualTo("inactive");
    }

    @Test
    void anotherUnitAnotherVerbAndAnotherUserAreRefused() throws Exception {
        isRefused("start", OTHER);
        assertThat(activeState(OTHER)).isEqualTo("inactive");
        assertThat(stage.userctl("start", OTHER)).as("by root").isEmpty();
        try (PidFd running = stage.mainProcess(OTHER)) {
            for (String verb : List.of("stop", "restart", "reload", "kill")) {
                isRefused(verb, OTHER);
            }
            assertThat(running.isAlive()).isTrue();
            assertThat(stage.file("/run/stage/reloaded-hfother")).doesNotExist();
        }
        isRefused("reset-failed", RULED);
        List<String> nobody =
                List.of(
                        "setpriv",
                        "--reuid=" + NOBODY,
                        "--regid=" + NOBODY,
                        "--clear-groups",
                        "systemctl",
                        "--no-ask-password",
                        "start",
                        RULED);
        isRefused(nobody, NOBODY, "start", RULED);
    }

    /**
     * A change that is not noticed automatically: the folder has only a link to the changed file.
     */
    @Test
    void aReloadOfTheAuthoritysUnitReadsTheRulesAgain() throws Exception {
        Path folder = stage.file("/etc/elsewhere");
        String link = "/etc/polkit-1/rules.d/20-late.rules";
        stage.write("/etc/elsewhere/late.rules", "");
        try {
            Files.createSymbolicLink(stage.file(link), Path.of("/etc/elsewhere/late.rules"));
            try (PidFd authority = stage.mainProcess("polkit.service")) {
                reload();
                isRefused("start", LATE);
                stage.write("/etc/elsewhere/late.rules", rule(LATE));
                isRefused("start", LATE);
                reload();
                does("start", LATE);
                assertThat(activeState(LATE)).isEqualTo("active");
                assertThat(authority.isAlive()).as("it was not started anew").isTrue();
            }
        } finally {
            remove(stage.file(link));
            remove(folder.resolve("late.rules"));
        }
    }

    /** Reloads the authority; returns when it is ready again. */
    private void reload() throws InterruptedException {
        assertThat(stage.userctl("reload", "polkit.service")).isEmpty();
        assertThat(activeState("polkit.service")).isEqualTo("active");
    }

    private static void remove(Path file) throws IOException {
        boolean _ = Files.deleteIfExists(file);
    }
}
