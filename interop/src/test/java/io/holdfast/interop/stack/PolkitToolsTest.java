package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The output of polkit's own tools with an authority on the real dbus-daemon: with Debian's
 * polkitd, and with ours, alone in the foreground. Both run as polkit's user, with the same files.
 */
@ParameterizedClass
@EnumSource
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {
            "unshare",
            "nsenter",
            "openssl",
            "setpriv",
            "script",
            "stty",
            "mkfifo",
            "dbus-daemon",
            "gdbus",
            "pkaction",
            "pkcheck",
            "pkttyagent"
        })
class PolkitToolsTest {
    private static final String POLKIT = "org.freedesktop.PolicyKit1";
    private static final String POLKITD = "/usr/lib/polkit-1/polkitd";
    private static final String ALLOWED = "org.holdfast.interop.allowed";
    private static final String FORBIDDEN = "org.holdfast.interop.forbidden";
    private static final String ASKED = "org.holdfast.interop.asked";
    private static final String REGISTERED = "/run/stage/registered";

    /** The authority. */
    enum Whose {
        POLKITS,
        OURS
    }

    private static @Nullable StackStage started;

    @Parameter @Nullable Whose whose; // makes it the parameter of start
    private final StackStage stage = Objects.requireNonNull(started);

    @BeforeParameterizedClassInvocation
    static void start(Whose whose) throws Exception {
        assumeTrue(
                whose == Whose.OURS || Files.isExecutable(Path.of(POLKITD)),
                "needs Debian's package polkitd");
        StackStage stage = StackStage.open(StackStage.Accounts.WITH);
        started = stage;
        stage.write(
                "/etc/polkit-1/actions/tools.policy",
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <policyconfig>
                <action id="%s"><message>Act</message>
                <defaults><allow_any>no</allow_any></defaults></action>
                <action id="%s"><message>Act</message>
                <defaults><allow_any>no</allow_any></defaults></action>
                <action id="%s"><message>Act</message>
                <defaults><allow_any>auth_self</allow_any></defaults></action>
                </policyconfig>
                """
                        .formatted(ALLOWED, FORBIDDEN, ASKED));
        stage.write(
                "/etc/polkit-1/rules.d/10-tools.rules",
                """
                polkit.addRule(function (action, subject) {
                    if (action.id == "%s" && subject.user == "%s") {
                        return polkit.Result.YES;
                    }
                });
                """
                        .formatted(ALLOWED, StackStage.USER));
        Path _ = Files.createDirectories(stage.file(StackStage.RUNTIME));
        RunningProgram bus =
                stage.start(
                        List.of(
                                "dbus-daemon",
                                "--system",
                                "--nofork",
                                "--nopidfile",
                                "--nosyslog",
                                "--print-address",
                                "--address=" + StackStage.BUS));
        bus.await(StackStage.BUS);
        List<String> command =
                switch (whose) {
                    case POLKITS -> List.of(POLKITD, "--no-debug");
                    case OURS ->
                            List.of(
                                    "env",
                                    "HOLDFAST_AS_BUILT=yes",
                                    StackStage.HOLDFAST,
                                    "authority");
                };
        RunningProgram _ = stage.start(StackStage.as("polkitd", command));
        assertThat(stage.output("gdbus", "wait", "--system", "--timeout=100", POLKIT)).isEmpty();
    }

    @AfterParameterizedClassInvocation
    static void end() {
        StackStage stage = started;
        started = null;
        if (stage != null) {
            stage.close();
        }
    }

    @Test
    void pkactionListsTheActions() throws Exception {
        assertThat(stage.output("pkaction").lines())
                .contains(ALLOWED, FORBIDDEN, ASKED, "org.freedesktop.policykit.exec");
        assertThat(stage.output("pkaction", "--verbose", "--action-id", ASKED))
                .containsPattern("message: +Act")
                .containsPattern("implicit any: +auth_self")
                .containsPattern("implicit active: +no");
        assertThat(stage.run("pkaction", "--action-id", "org.holdfast.interop.nothing"))
                .isEqualTo(new Exit.Exited(1));
        assertThat(
                        stage.output(
                                "gdbus",
                                "call",
                                "--system",
                                "--dest=" + POLKIT,
                                "--object-path=/org/freedesktop/PolicyKit1/Authority",
                                "--method=org.freedesktop.DBus.Properties.Get",
                                POLKIT + ".Authority",
                                "BackendName"))
                .contains("'js'");
    }

    private Exit checked(String action, RunningProgram subject, String... more)
            throws InterruptedException {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "pkcheck",
                                "--action-id",
                                action,
                                "--process",
                                Integer.toString(subject.process().pid())));
        command.addAll(List.of(more));
        return stage.run(command.toArray(String[]::new));
    }

    @Test
    void pkcheckTellsByItsExitStatus() throws Exception {
        RunningProgram subject = stage.processOfUser();
        assertThat(checked(ALLOWED, subject)).isEqualTo(new Exit.Exited(0));
        assertThat(checked(FORBIDDEN, subject)).isEqualTo(new Exit.Exited(1));
        assertThat(checked(ASKED, subject)).as("a challenge").isEqualTo(new Exit.Exited(2));
        assertThat(checked(ASKED, subject, "--allow-user-interaction"))
                .as("there is no agent")
                .isEqualTo(new Exit.Exited(2));
        assertThat(checked("org.holdfast.interop.nothing", subject))
                .isEqualTo(new Exit.Exited(127));
        RunningProgram roots = stage.start(List.of("cat"), Stdio.pipe(), Map.of());
        assertThat(checked(FORBIDDEN, roots)).isEqualTo(new Exit.Exited(0));
    }

    @Test
    void pkttyagentAsksForThePassword() throws Exception {
        assertThat(checkWithPassword(StackStage.PASSWORD)).isEqualTo(new Exit.Exited(0));
        assertThat(checkWithPassword("wrong pony")).isEqualTo(new Exit.Exited(1));
    }

    /** A process of the user checks itself, with pkttyagent for it on a terminal. */
    private Exit checkWithPassword(String password) throws Exception {
        Path registered = stage.file(REGISTERED);
        boolean _ = Files.deleteIfExists(registered);
        assertThat(stage.output("mkfifo", "--mode=0666", REGISTERED)).isEmpty();
        try (RunningProgram caller =
                stage.start(
                        StackStage.asUser(
                                "sh",
                                "-c",
                                "echo $$; read go; exec pkcheck --allow-user-interaction"
                                        + " --action-id "
                                        + ASKED
                                        + " --process $$"),
                        Stdio.pipe(),
                        Map.of())) {
            caller.await("\n");
            Terminal agent =
                    stage.onTerminal(
                            List.of(
                                    "sh",
                                    "-c",
                                    "exec pkttyagent --notify-fd 3 3>%s --process %s"
                                            .formatted(REGISTERED, caller.written().strip())));
            assertThat(Files.readAllBytes(registered)).as("closed when it is there").isEmpty();
            caller.type("go\n");
            agent.answer("assword: ", password);
            Exit exit = caller.end();
            agent.program().close();
            return exit;
        }
    }
}
