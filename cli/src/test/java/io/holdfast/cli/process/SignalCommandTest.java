package io.holdfast.cli.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.Invocation;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class SignalCommandTest {
    @ParameterizedTest
    @CsvSource({"TERM,15", "sigkill,9", "1,1", "RTMIN+3,37"})
    void aSignalArrivesByNameOrNumber(String text, int number) throws InterruptedException {
        try (Child sleep = Spawn.of("sleep", "600").start()) {
            Invocation sent = Invocation.of("signal", pid(sleep), text);

            assertThat(sent).isEqualTo(new Invocation(0, "", ""));
            assertThat(sleep.await()).isEqualTo(new Exit.Killed(new Signal(number), false));
        }
    }

    @Test
    void zeroOnlyAsks() {
        try (Child sleep = Spawn.of("sleep", "600").start()) {
            assertThat(Invocation.of("signal", pid(sleep), "0").code()).isZero();
            assertThat(sleep.pidFd().isAlive()).isTrue();
            assertThat(sleep.signal(Signal.KILL)).isTrue();
        }
    }

    @Test
    void aValueGoesWithIt() throws InterruptedException {
        try (Child sleep = Spawn.of("sleep", "600").start()) {
            assertThat(Invocation.of("signal", "--value", "0x7", pid(sleep), "USR1").code())
                    .isZero();
            assertThat(sleep.await()).isEqualTo(new Exit.Killed(Signal.USR1, false));
        }
    }

    @Test
    @Needs(features = Feature.SIGNAL_SCOPE)
    void aValueGoesWithItToAScope() throws InterruptedException {
        try (Child sleep = Spawn.of("sleep", "600").start()) {
            Invocation refused =
                    Invocation.of("signal", "--value", "7", "--scope", "group", pid(sleep), "USR1");
            assertThat(refused.err()).contains("leads no process group").hasLineCount(1);

            for (String scope : new String[] {"thread", "process"}) {
                Invocation checked =
                        Invocation.of("signal", "--value", "7", "--scope", scope, pid(sleep), "0");
                assertThat(checked).isEqualTo(new Invocation(0, "", ""));
            }
            assertThat(sleep.pidFd().isAlive()).isTrue();
            Invocation sent =
                    Invocation.of(
                            "signal", "--value", "7", "--scope", "process", pid(sleep), "USR1");
            assertThat(sent).isEqualTo(new Invocation(0, "", ""));
            assertThat(sleep.await()).isEqualTo(new Exit.Killed(Signal.USR1, false));
        }
    }

    @Test
    void aGroupGetsItWhole() throws Exception {
        try (Child group =
                Spawn.of("sh", "-c", "sleep 600 & echo $!; wait")
                        .newProcessGroup()
                        .stdout(Stdio.pipe())
                        .start()) {
            StringBuilder member = new StringBuilder();
            for (int c = group.stdout().read(); c != '\n'; c = group.stdout().read()) {
                member.append((char) c);
            }
            try (PidFd second = PidFd.open(Integer.parseInt(member.toString()))) {
                assertThat(Invocation.of("signal", "--scope", "group", pid(group), "KILL").code())
                        .isZero();
                assertThat(group.await()).isEqualTo(new Exit.Killed(Signal.KILL, false));
                Exit ignored = second.await();
                assertThat(second.isAlive()).isFalse();
            }
        }
    }

    @Test
    void whoLeadsNoGroupIsNotTakenForOne() {
        try (Child sleep = Spawn.of("sleep", "600").start()) {
            Invocation refused = Invocation.of("signal", "--scope", "group", pid(sleep), "KILL");

            assertThat(refused.code()).isEqualTo(ExitCode.FAILURE);
            assertThat(refused.err()).contains("leads no process group").hasLineCount(1);
            assertThat(sleep.pidFd().isAlive()).isTrue();
            assertThat(sleep.signal(Signal.KILL)).isTrue();
        }
    }

    @Test
    @Needs(programs = "perl")
    void aZombieIsSaidToTakeNone() throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd zombie = parent.held("heedless", "exit=0")) {
            Exit ignored = zombie.await();
            String number = Integer.toString(zombie.pid());
            Invocation refused = Invocation.of("signal", number, "TERM");

            assertThat(refused.code()).isEqualTo(ExitCode.FAILURE);
            assertThat(refused.err())
                    .contains("process " + number, "has exited", "cannot be signalled")
                    .hasLineCount(1);
        }
    }

    @Test
    void theWrongOrderIsSaidToBeWrong() {
        assertThat(Invocation.of("signal", "TERM", "4711").err())
                .startsWith("holdfast: the process must precede the signal: signal 4711 TERM")
                .hasLineCount(1);
    }

    @ParameterizedTest
    @CsvSource({
        "FOO,not a signal: 'FOO'",
        "65,not a signal: '65'",
        "-1,not a signal: '-1'",
        "SIG,not a signal: 'SIG'"
    })
    void unknownSignalsAreNamed(String text, String said) {
        Invocation refused = Invocation.of("signal", "1", text);

        assertThat(refused.code()).isEqualTo(ExitCode.USAGE);
        assertThat(refused.err()).startsWith("holdfast: " + said).hasLineCount(1);
    }

    @Test
    void unknownScopesAndValuesAreNamed() {
        assertThat(Invocation.of("signal", "--scope", "all", "1", "TERM").err())
                .startsWith(
                        "holdfast: not a scope: 'all'; expected one of [thread, process, group]");
        assertThat(Invocation.of("signal", "--value", "x", "1", "0").err())
                .startsWith("holdfast: not a value: 'x'");
    }

    private static String pid(Child child) {
        return Integer.toString(child.pidFd().pid());
    }
}
