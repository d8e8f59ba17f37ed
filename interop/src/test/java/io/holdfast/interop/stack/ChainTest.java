package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.client.Authority;
import io.holdfast.authority.client.Decision;
import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The unit of a subject, from its birth in a cgroup to the rule that names it: the manager spawns
 * the process, the bus and the authority identify it by pidfd, and the manager returns its unit to
 * the authority.
 */
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter", "openssl", "systemctl", "varlinkctl", "pkcheck", "perl"})
class ChainTest {
    private static final String ACTION = "org.holdfast.interop.chain";
    private static final String A = "hfchain-a.service";
    private static final String B = "hfchain-b.service";
    private static final int ATTEMPTS = 100;

    private StackStage stage;
    private RunningProgram up;

    @BeforeEach
    void start() throws Exception {
        stage = StackStage.open(StackStage.Accounts.WITH);
        stage.write(
                "/etc/polkit-1/actions/chain.policy",
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <policyconfig><action id="%s"><message>Act</message>
                <defaults><allow_any>no</allow_any></defaults></action></policyconfig>
                """
                        .formatted(ACTION));
        stage.write(
                "/etc/polkit-1/rules.d/10-chain.rules",
                """
                polkit.addRule(function (action, subject) {
                    if (action.id == "%s" && subject.system_unit == "%s") {
                        return polkit.Result.YES;
                    }
                });
                """
                        .formatted(ACTION, B));
        stage.write("/run/stage/ask.py", resource("ask.py"));
        for (String unit : new String[] {A, B}) {
            stage.write(
                    "/etc/systemd/system/" + unit,
                    """
                    [Service]
                    User=%s
                    ExecStart=/usr/bin/python3 /run/stage/ask.py %s %s
                    Environment=DBUS_SYSTEM_BUS_ADDRESS=%s
                    """
                            .formatted(
                                    StackStage.USER, ACTION, StackStage.AUTHORITY, StackStage.BUS));
        }
        up = stage.ready();
    }

    @AfterEach
    void end() throws Exception {
        if (stage != null) {
            stage.close();
            assertThat(stage.hasCgroup()).isFalse();
        }
    }

    private static String resource(String name) throws IOException {
        try (InputStream in = ChainTest.class.getResourceAsStream(name)) {
            return new String(
                    Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Starts a unit and returns the answers that it received. */
    private String answered(String unit) throws Exception {
        assertThat(stage.userctl("start", unit)).isEmpty();
        up.await(unit + " | by-bus-name");
        up.await("end");
        return up.written()
                .lines()
                .filter(line -> line.startsWith(unit + " | by-bus-name"))
                .reduce((_, last) -> last)
                .orElseThrow()
                .replace(unit + " | ", "");
    }

    private Authority authority() {
        return Authority.overVarlink(
                "unix:" + stage.file(StackStage.RUNTIME + "/io.holdfast.Authority"));
    }

    private static Decision decision(Authority authority, PidFd process) throws Exception {
        return authority
                .check(process, StackStage.UID, ACTION, Map.of())
                .get(100, TimeUnit.SECONDS);
    }

    @Test
    void onlyTheUnitThatTheRuleNamesMay() throws Exception {
        assertThat(answered(A))
                .isEqualTo("by-bus-name no by-pidfd no by-number no by-varlink no end");
        assertThat(answered(B))
                .as("a PID does not identify a unit")
                .isEqualTo("by-bus-name yes by-pidfd yes by-number no by-varlink yes end");
    }

    @Test
    void whoeverGetsTheNumberOfAProcessOfTheUnitGetsNothingElse() throws Exception {
        assertThat(answered(B)).contains("by-bus-name yes");
        stage.write("/run/stage/take-number.pl", resource("take-number.pl"));
        for (int i = 0; i < ATTEMPTS; i++) {
            try (PidFd process = stage.mainProcess(B);
                    Authority authority = authority()) {
                int number = process.pid();
                long start = process.proc().startTicks();
                assertThat(decision(authority, process).isAuthorized()).isTrue();

                assertThat(stage.userctl("kill", "--signal=KILL", B)).isEmpty();
                assertThat(process.await(Duration.ofSeconds(60))).isPresent();
                up.await(B + ": failed");
                try (RunningProgram taker = takeNumber(number)) {
                    if (!isTaken(taker)) {
                        assertThat(answered(B)).contains("by-bus-name yes");
                        continue; // another process got the PID
                    }
                    taker.await("end");
                    assertThat(taker.written())
                            .contains("by-bus-name no by-pidfd no by-number no by-varlink no end");
                    assertThat(checked(number + "," + start + "," + StackStage.UID)).isFalse();
                    assertThat(checked(number + ",0," + StackStage.UID)).isFalse();
                    assertThat(decision(authority, process).failure()).isPresent();
                    try (PidFd taken = PidFd.open(number)) {
                        assertThat(taken).isNotEqualTo(process);
                        assertThat(decision(authority, taken).isAuthorized()).isFalse();
                        boolean ignored = taken.signal(Signal.KILL);
                    }
                    return;
                }
            }
        }
        throw new AssertionError("the number was never free for us");
    }

    private boolean checked(String process) throws Exception {
        return stage.run("pkcheck", "--action-id", ACTION, "--process", process).isSuccess();
    }

    private RunningProgram takeNumber(int number) {
        return stage.start(
                List.of(
                        "perl",
                        "/run/stage/take-number.pl",
                        Integer.toString(number),
                        Integer.toString(StackStage.UID),
                        "/usr/bin/python3",
                        "/run/stage/ask.py",
                        ACTION,
                        StackStage.AUTHORITY));
    }

    private static boolean isTaken(RunningProgram taker) throws InterruptedException {
        taker.await("\n");
        return taker.written().contains("taken");
    }
}
