package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Needs;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * {@code holdfast authority} alone in the foreground, as polkit's user: on the dbus-daemon in
 * {@code DBUS_SYSTEM_BUS_ADDRESS}, with the system's own folders.
 */
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter", "openssl", "setpriv", "dbus-daemon", "gdbus", "pkaction"})
class ForegroundAuthorityTest {
    private static final String POLKIT = "org.freedesktop.PolicyKit1";
    private static final String ACTION = "org.holdfast.interop.act";
    private static final String ADDRESS = "unix:path=/run/other-bus";
    private static final Map<String, String> ON_BUS = Map.of("DBUS_SYSTEM_BUS_ADDRESS", ADDRESS);

    private StackStage stage;
    private RunningProgram authority;

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
                </policyconfig>
                """
                        .formatted(ACTION));
        RunningProgram bus =
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
        try (RunningProgram wait = tool("gdbus", "wait", "--system", "--timeout=100", POLKIT)) {
            assertThat(wait.output()).isEmpty();
        }
    }

    @AfterEach
    void end() {
        if (stage != null) {
            stage.close();
        }
    }

    private RunningProgram authority(String user) {
        List<String> command =
                List.of("env", "HOLDFAST_AS_BUILT=yes", StackStage.HOLDFAST, "authority");
        return stage.start(StackStage.as(user, command), Stdio.devNull(), ON_BUS);
    }

    private RunningProgram tool(String... command) {
        return stage.start(List.of(command), Stdio.devNull(), ON_BUS);
    }

    @Test
    void aSecondOneOnTheSameBusIsRefusedInOneLine() throws Exception {
        try (RunningProgram second = authority("polkitd")) {
            assertThat(second.end()).as(second::written).isNotEqualTo(new Exit.Exited(0));
            assertThat(second.written().strip().lines())
                    .singleElement()
                    .asString()
                    .startsWith("holdfast: ")
                    .contains(POLKIT);
        }
        assertThat(authority.process().isAlive()).isTrue();
        try (RunningProgram actions = tool("pkaction")) {
            assertThat(actions.output().lines()).as("the first one serves on").contains(ACTION);
        }
    }

    /** The bus's own policy allows the name to polkit's user alone. */
    @Test
    void whomTheBusRefusesTheNameIsToldSoInOneLine() throws Exception {
        authority.signal(Signal.TERM);
        assertThat(authority.end()).isEqualTo(new Exit.Exited(0));
        try (RunningProgram another = authority(StackStage.USER)) {
            assertThat(another.end()).as(another::written).isNotEqualTo(new Exit.Exited(0));
            assertThat(another.written().strip().lines())
                    .singleElement()
                    .asString()
                    .startsWith("holdfast: ")
                    .contains("cannot serve " + POLKIT + " on the bus");
        }
    }

    @Test
    void theTermSignalEndsItCleanly() throws Exception {
        authority.signal(Signal.TERM);
        assertThat(authority.end()).as(authority::written).isEqualTo(new Exit.Exited(0));
        assertThat(authority.written()).doesNotContain("Exception", "\tat ", "WARNING", "ERROR");
        try (RunningProgram owner =
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
