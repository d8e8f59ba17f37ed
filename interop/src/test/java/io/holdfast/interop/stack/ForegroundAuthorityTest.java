package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.linux.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Needs;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * {@code holdfast authority} alone in the foreground, as polkit's user: on the dbus-daemon that
 * {@code DBUS_SYSTEM_BUS_ADDRESS} names, with the system's own folders.
 */
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {
            "unshare",
            "nsenter",
            "openssl",
            "setpriv",
            "dbus-daemon",
            "gdbus",
            "pkaction",
            "pkcheck"
        })
class ForegroundAuthorityTest {
    private static final String POLKIT = "org.freedesktop.PolicyKit1";
    private static final String ALLOWED = "org.holdfast.interop.allowed";
    private static final String FORBIDDEN = "org.holdfast.interop.forbidden";
    private static final String ADDRESS = "unix:path=/run/other-bus";
    private static final Map<String, String> ON_BUS = Map.of("DBUS_SYSTEM_BUS_ADDRESS", ADDRESS);

    private StackStage stage;
    private Running authority;

    @BeforeEach
    void start() throws Exception {
        stage = StackStage.open(StackStage.Accounts.WITH);
        stage.write(
                "/etc/polkit-1/actions/foreground.policy",
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <policyconfig>
                <action id="%s"><message>Act</message>
                <defaults><allow_any>no</allow_any></defaults></action>
                <action id="%s"><message>Act</message>
                <defaults><allow_any>no</allow_any></defaults></action>
                </policyconfig>
                """
                        .formatted(ALLOWED, FORBIDDEN));
        stage.write(
                "/etc/polkit-1/rules.d/10-foreground.rules",
                """
                polkit.addRule(function (action, subject) {
                    if (action.id == "%s" && subject.user == "%s") {
                        return polkit.Result.YES;
                    }
                });
                """
                        .formatted(ALLOWED, StackStage.USER));
        Running bus =
                stage.start(
                        List.of(
                                "dbus-daemon",
                                "--system",
                                "--nofork",
                                "--nopidfile",
                                "--nosyslog",
                                "--print-address",
                                "--address=" + ADDRESS));
        bus.await(ADDRESS);
        authority = authority("polkitd");
        try (Running wait = tool("gdbus", "wait", "--system", "--timeout=100", POLKIT)) {
            assertThat(wait.output()).isEmpty();
        }
    }

    @AfterEach
    void end() {
        if (stage != null) {
            stage.close();
        }
    }

    private Running authority(String user, String... options) {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "setpriv",
                                "--reuid=" + user,
                                "--regid=" + user,
                                "--init-groups",
                                "env",
                                "HOLDFAST_AS_BUILT=yes",
                                StackStage.HOLDFAST,
                                "authority"));
        command.addAll(List.of(options));
        return stage.start(command, Stdio.devNull(), ON_BUS);
    }

    private Running tool(String... command) {
        return stage.start(List.of(command), Stdio.devNull(), ON_BUS);
    }

    private Exit checked(String action, Running subject) throws InterruptedException {
        try (Running pkcheck =
                tool(
                        "pkcheck",
                        "--action-id",
                        action,
                        "--process",
                        Integer.toString(subject.process().pid()))) {
            return pkcheck.end();
        }
    }

    @Test
    void polkitsToolsWorkOnIt() throws Exception {
        try (Running actions = tool("pkaction")) {
            assertThat(actions.output().lines())
                    .contains(ALLOWED, FORBIDDEN, "org.freedesktop.policykit.exec");
        }
        try (Running action = tool("pkaction", "--verbose", "--action-id", ALLOWED)) {
            assertThat(action.output()).containsPattern("implicit any: +no");
        }
        Running subject = stage.start(StackStage.asUser("cat"), Stdio.pipe(), Map.of());
        assertThat(checked(ALLOWED, subject)).isEqualTo(new Exit.Exited(0));
        assertThat(checked(FORBIDDEN, subject)).isEqualTo(new Exit.Exited(1));
        try (Running gdbus =
                tool(
                        "gdbus",
                        "call",
                        "--system",
                        "--dest=" + POLKIT,
                        "--object-path=/org/freedesktop/PolicyKit1/Authority",
                        "--method=org.freedesktop.DBus.Properties.Get",
                        POLKIT + ".Authority",
                        "BackendName")) {
            assertThat(gdbus.output()).contains("'js'");
        }
    }

    @Test
    void aSecondOneOnTheSameBusIsRefusedInOneLine() throws Exception {
        try (Running second = authority("polkitd")) {
            assertThat(second.end()).as(second::written).isNotEqualTo(new Exit.Exited(0));
            assertThat(second.written().strip().lines())
                    .singleElement()
                    .asString()
                    .startsWith("holdfast: ")
                    .contains(POLKIT);
        }
        assertThat(authority.process().isAlive()).isTrue();
        try (Running actions = tool("pkaction")) {
            assertThat(actions.output().lines()).as("the first one serves on").contains(ALLOWED);
        }
    }

    /** The bus's own policy lets polkit's user have the name, and nobody else. */
    @Test
    void whomTheBusRefusesTheNameIsToldSoInOneLine() throws Exception {
        authority.signal(Signal.TERM);
        assertThat(authority.end()).isEqualTo(new Exit.Exited(0));
        try (Running another = authority(StackStage.USER)) {
            assertThat(another.end()).as(another::written).isNotEqualTo(new Exit.Exited(0));
            assertThat(another.written().strip().lines())
                    .singleElement()
                    .asString()
                    .startsWith("holdfast: ")
                    .contains("the bus refuses us", POLKIT);
        }
    }

    @Test
    void theTermSignalEndsItCleanly() throws Exception {
        authority.signal(Signal.TERM);
        assertThat(authority.end()).as(authority::written).isEqualTo(new Exit.Exited(0));
        assertThat(authority.written()).doesNotContain("Exception", "\tat ", "WARNING", "ERROR");
        try (Running owner =
                tool(
                        "gdbus",
                        "call",
                        "--system",
                        "--dest=org.freedesktop.DBus",
                        "--object-path=/",
                        "--method=org.freedesktop.DBus.NameHasOwner",
                        POLKIT)) {
            assertThat(owner.output()).isEqualTo("(false,)");
        }
    }
}
