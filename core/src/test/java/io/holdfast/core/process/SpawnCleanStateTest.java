package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.EventLoop;
import io.holdfast.core.Readiness;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.process.SignalDispositions;
import io.holdfast.core.sys.process.SysSignalfd;
import io.holdfast.core.testkit.ChildJvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever the JVM has set or was started with, a child starts clean. */
@Timeout(60)
class SpawnCleanStateTest {
    private static final String CLEAN = "0000000000000000";

    private static void assertClean(String status) {
        for (String key : List.of("SigBlk", "SigIgn", "SigCgt")) {
            assertThat(Proc.field(status, key)).as(key).isEqualTo(CLEAN);
        }
    }

    @Test
    void noSignalIsBlockedOrIgnored() throws Exception {
        assertThat(Proc.field(read("/proc/thread-self/status"), "SigBlk"))
                .as("the JVM blocks some in this thread")
                .isNotEqualTo(CLEAN);
        assertClean(SpawnTest.output(Spawn.of("cat", "/proc/self/status")));
        assertClean(SpawnTest.output(Spawn.of("cat", "/proc/self/status").environmentOfPid("X")));
    }

    private static String read(String path) throws IOException {
        return Files.readString(Path.of(path));
    }

    /** Runs in a JVM that was started with signals ignored, SIGCHLD among them. */
    static final class Ignoring {
        private Ignoring() {}

        public static void main(String[] arguments) throws Exception {
            System.out.println("JVM ignores " + Proc.field(read("/proc/self/status"), "SigIgn"));
            System.out.println("HUP " + SignalDispositions.takeBack(Signal.HUP));
            System.out.println("HUP again " + SignalDispositions.takeBack(Signal.HUP));
            System.out.println("TERM " + SignalDispositions.takeBack(Signal.TERM));
            try (EventLoop loop = EventLoop.open();
                    AutoCloseable _ = loop.onSignal(Signal.HUP, loop::stop);
                    PidFd self = PidFd.self()) {
                boolean _ = self.signal(Signal.HUP);
                loop.run();
                System.out.println("HUP received");
            }
            try (Child child = Spawn.of("sh", "-c", "exit 3").start()) {
                System.out.println("first child " + child.await());
            }
            System.out.print(SpawnTest.output(Spawn.of("cat", "/proc/self/status")));
        }
    }

    @Test
    void signalsIgnoredSinceTheJvmWasStartedAreDefaultAndChildrenAreNotLost() throws Exception {
        List<String> java = ChildJvm.command(List.of(), Ignoring.class);
        // as nohup(1) does, and as a careless parent may do for SIGCHLD
        Process jvm =
                new ProcessBuilder(
                                Stream.concat(
                                                Stream.of(
                                                        "sh",
                                                        "-c",
                                                        "trap '' HUP USR1 CHLD; exec \"$@\"",
                                                        "sh"),
                                                java.stream())
                                        .toList())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(jvm.waitFor()).as(said).isZero();
        assertThat(said)
                .doesNotContain("JVM ignores " + CLEAN)
                .contains("HUP true\nHUP again false\nTERM false\nHUP received\n")
                .contains("first child exited with status 3");
        assertClean(said.substring(said.indexOf("Name:")));
    }

    /** Runs in a JVM that was started with SIGCHLD blocked, as the keeper of a manager does. */
    static final class Blocking {
        private Blocking() {}

        public static void main(String[] arguments) throws Exception {
            System.out.println("JVM blocks " + Proc.field(read("/proc/self/status"), "SigBlk"));
            System.out.println("CHLD blocked: " + SignalDispositions.isBlocked(Signal.CHLD));
            try (SysSignalfd signals = new SysSignalfd(Signal.CHLD);
                    Child _ = Spawn.of("true").start()) {
                int _ = Readiness.await(signals.fd(), Readiness.IN);
                System.out.println("CHLD received");
            }
            System.out.println(
                    "program blocks "
                            + Proc.field(
                                    SpawnTest.output(Spawn.of("cat", "/proc/self/status")),
                                    "SigBlk"));
        }
    }

    @Test
    void aSignalBlockedSinceTheJvmWasStartedIsReceivedThroughADescriptor() throws Exception {
        Process jvm =
                new ProcessBuilder(
                                Stream.concat(
                                                Stream.of("env", "--block-signal=CHLD"),
                                                ChildJvm.command(List.of(), Blocking.class)
                                                        .stream())
                                        .toList())
                        .redirectErrorStream(true)
                        .start();
        String said = new String(jvm.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(jvm.waitFor()).as(said).isZero();
        assertThat(said)
                .contains("JVM blocks 0000000000010", "CHLD blocked: true", "CHLD received")
                .contains("program blocks 0000000000000000");
    }
}
