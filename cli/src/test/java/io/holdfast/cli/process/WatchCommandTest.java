package io.holdfast.cli.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.Invocation;
import io.holdfast.cli.Program;
import io.holdfast.cli.command.ExitCode;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tests {@code watch} with children of this JVM, which are not children of the program. */
@Timeout(120)
class WatchCommandTest {
    @Test
    @Needs(features = Feature.EXIT_INFO)
    void theStatusOfAStrangerIsPassedOn() throws Exception {
        try (Child three = waiting("exit 3")) {
            Process watch = Program.start("watch", pid(three));
            awaitHolding(watch, three);
            String name = three.pidFd().processId().inThisBoot().toString();
            three.stdin().close();

            assertThat(Program.end(watch))
                    .isEqualTo(new Program(3, name + " exited with status 3\n", ""));
        }
    }

    @Test
    @Needs(features = Feature.EXIT_INFO)
    void ofSeveralTheFirstThatFailedGivesTheCode() throws Exception {
        try (Child good = waiting("exit 0");
                Child killed = waiting("kill -KILL $$");
                Child five = waiting("exit 5")) {
            Process watch = Program.start("watch", "--json", pid(good), pid(killed), pid(five));
            awaitHolding(watch, good, killed, five);
            String fifth = json(five, "{\"status\":5}");
            String first = json(good, "{\"status\":0}");
            String second =
                    json(killed, "{\"signal\":\"SIGKILL\",\"number\":9,\"coreDumped\":false}");
            var lines = watch.inputReader();
            five.stdin().close();
            assertThat(lines.readLine()).isEqualTo(fifth);
            good.stdin().close();
            assertThat(lines.readLine()).isEqualTo(first);
            killed.stdin().close();
            assertThat(lines.readLine()).isEqualTo(second);

            assertThat(watch.waitFor()).isEqualTo(128 + Signal.KILL.number());
        }
    }

    @Test
    void aKernelThatDoesNotTellIsSaidNotTo() throws Exception {
        try (Child three = waiting("exit 3")) {
            Process watch =
                    new ProcessBuilder(
                                    Program.command(
                                            List.of("-Dio.holdfast.without=PIDFD_INFO,EXIT_INFO"),
                                            "watch",
                                            pid(three)))
                            .start();
            awaitHolding(watch, three);
            String name = three.pidFd().processId().inThisBoot().toString();
            three.stdin().close();

            assertThat(Program.end(watch))
                    .isEqualTo(
                            new Program(
                                    ExitCode.HOLDFAST_FAILED,
                                    name + " exited, status unknown\n",
                                    ""));
        }
    }

    @Test
    void whoIsNotThereIsNotWaitedFor() {
        assertThat(
                        Invocation.of(
                                "watch",
                                Long.toString(ProcessHandle.current().pid()),
                                "2147483647"))
                .isEqualTo(
                        new Invocation(
                                ExitCode.HOLDFAST_FAILED,
                                "",
                                "holdfast: no process with PID 2147483647\n"));
        assertThat(Invocation.of("watch", "x").code()).isEqualTo(ExitCode.USAGE);
        assertThat(Invocation.of("watch").err())
                .startsWith("holdfast: missing required parameter: 'PID'");
    }

    /** Starts a shell that runs a command once its standard input is closed. */
    private static Child waiting(String then) {
        return Spawn.of("sh", "-c", "read _; " + then).stdin(Stdio.pipe()).start();
    }

    /**
     * Waits until the program holds the processes, because it cannot watch a process that has ended
     * before.
     */
    private static void awaitHolding(Process watch, Child... watched) {
        for (Child child : watched) {
            Await.until(() -> !watch.isAlive() || holds(watch, child));
        }
    }

    private static boolean holds(Process program, Child child) {
        Path infos = Path.of("/proc/" + program.pid() + "/fdinfo");
        String[] numbers = infos.toFile().list();
        for (String number : numbers == null ? new String[0] : numbers) {
            try {
                if (Files.readString(infos.resolve(number))
                        .contains("\nPid:\t" + pid(child) + "\n")) {
                    return true;
                }
            } catch (IOException e) {
                // closed meanwhile
            }
        }
        return false;
    }

    private static String pid(Child child) {
        return Integer.toString(child.pidFd().pid());
    }

    private static String json(Child child, String exit) {
        return "{\"process\":\""
                + child.pidFd().processId()
                + "\",\"pid\":"
                + pid(child)
                + ",\"exit\":"
                + exit
                + "}";
    }
}
