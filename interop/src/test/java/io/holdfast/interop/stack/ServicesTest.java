package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.process.Exit;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;

/**
 * Services of the distribution with their own units, started on demand; our authority decides what
 * their callers may do.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {
            "unshare",
            "nsenter",
            "openssl",
            "setpriv",
            "systemctl",
            "timedatectl",
            "localectl",
            "busctl"
        })
class ServicesTest {
    private static final String TIMEDATED = "systemd-timedated.service";

    private StackStage stage;

    @BeforeAll
    void start() throws Exception {
        stage = StackStage.open(StackStage.Accounts.WITH);
        stage.write(
                "/etc/polkit-1/rules.d/10-services.rules",
                """
                polkit.addRule(function (action, subject) {
                    if (subject.user == "%s" && [
                            "org.freedesktop.timedate1.set-timezone",
                            "org.freedesktop.accounts.change-own-user-data"
                            ].indexOf(action.id) >= 0) {
                        return polkit.Result.YES;
                    }
                });
                """
                        .formatted(StackStage.USER));
        // The first time zone that the kernel receives moves its clock, which belongs to the whole
        // machine.
        stage.write(
                "/etc/systemd/system/systemd-timedated.service.d/clock.conf",
                "[Service]\nCapabilityBoundingSet=~CAP_SYS_TIME\n");
        RunningProgram _ = stage.ready();
    }

    @AfterAll
    void end() {
        if (stage != null) {
            stage.close();
            assertThat(stage.hasCgroup()).isFalse();
        }
    }

    private Exit byUser(String... command) throws InterruptedException {
        return stage.run(StackStage.asUser(command).toArray(String[]::new));
    }

    private String activeState(String unit) throws InterruptedException {
        return stage.userctl("show", "--property=ActiveState", "--value", unit);
    }

    @Test
    void timedatedSetsTheZoneForWhomARuleAllows() throws Exception {
        assertThat(byUser("timedatectl", "set-timezone", "Europe/Berlin"))
                .isEqualTo(new Exit.Exited(0));
        assertThat(Files.readSymbolicLink(stage.file("/etc/localtime")).toString())
                .endsWith("zoneinfo/Europe/Berlin");
        assertThat(activeState(TIMEDATED)).isEqualTo("active");
        assertThat(stage.userctl("show", "--property=CapabilityBoundingSet", "--value", TIMEDATED))
                .doesNotContain("cap_sys_time");
        assertThat(byUser("timedatectl", "set-ntp", "true")).isEqualTo(new Exit.Exited(1));
    }

    @Test
    void localedIsStartedAndTheBusRefusesWhatItsOwnPolicyDoes() throws Exception {
        assertThat(byUser("localectl", "status")).isEqualTo(new Exit.Exited(0));
        assertThat(activeState("systemd-localed.service")).isEqualTo("active");
        assertThat(byUser("localectl", "set-locale", "LANG=C.UTF-8")).isEqualTo(new Exit.Exited(1));
    }

    @Test
    void accountsDaemonChangesTheCallersOwnDataAndMakesNoUsers() throws Exception {
        assumeTrue(
                Files.isExecutable(Path.of("/usr/libexec/accounts-daemon")),
                "needs Debian's package accountsservice");
        String name = "org.freedesktop.Accounts";
        assertThat(stage.output(account("", name, "FindUserById", "x", "" + StackStage.UID)))
                .isEqualTo("o \"/org/freedesktop/Accounts/User" + StackStage.UID + "\"");
        assertThat(activeState("accounts-daemon.service")).isEqualTo("active");

        assertThat(byUser(account("", name, "CreateUser", "ssi", "mallory", "Mallory", "1")))
                .isEqualTo(new Exit.Exited(1));
        assertThat(Files.readString(stage.file("/etc/passwd"))).doesNotContain("mallory");
        assertThat(
                        byUser(
                                account(
                                        "/User" + StackStage.UID,
                                        name + ".User",
                                        "SetRealName",
                                        "s",
                                        "Alice")))
                .isEqualTo(new Exit.Exited(0));
        assertThat(Files.readString(stage.file("/etc/passwd")))
                .containsPattern(StackStage.USER + ":x:\\d+:\\d+:Alice");
    }

    private static String[] account(String object, String... call) {
        return Stream.concat(
                        Stream.of(
                                "busctl",
                                "call",
                                "org.freedesktop.Accounts",
                                "/org/freedesktop/Accounts" + object),
                        List.of(call).stream())
                .toArray(String[]::new);
    }
}
