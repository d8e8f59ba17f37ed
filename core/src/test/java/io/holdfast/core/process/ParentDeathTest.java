package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.Signal;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Children that do not outlive their JVM. */
@Timeout(120)
@Needs(programs = "setpriv")
class ParentDeathTest {
    private static final String READY = "echo $$; exec sleep 1000";

    /** The other JVM: starts children in each way, and waits to be killed. */
    static final class Parent {
        private Parent() {}

        public static void main(String[] arguments) throws Exception {
            Spawn plain =
                    Spawn.of("sh", "-c", READY).parentDeathSignal(Signal.KILL).stdout(Stdio.pipe());
            List<Child> children =
                    List.of(
                            plain.start(),
                            plain.copy().umask(077).start(),
                            plain.copy().whileHeld(_ -> {}).start());
            for (Child child : children) {
                byte[] line = new byte[16];
                int n = child.stdout().read(line); // setpriv is done
                System.out.print(new String(line, 0, n, StandardCharsets.US_ASCII));
            }
            Exit _ = children.getFirst().await();
        }
    }

    @Test
    void theyAreKilledWithIt() throws Exception {
        Process jvm =
                new ProcessBuilder(ChildJvm.command(List.of(), Parent.class))
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        List<PidFd> children = new ArrayList<>();
        try (BufferedReader said = jvm.inputReader(StandardCharsets.UTF_8)) {
            for (int i = 0; i < 3; i++) {
                children.add(PidFd.open(Integer.parseInt(said.readLine())));
            }
            assertThat(children).allMatch(PidFd::isAlive);
        } finally {
            int ignored = jvm.destroyForcibly().waitFor();
        }
        for (PidFd child : children) {
            try (child) {
                assertThat(child.await())
                        .isIn(new Exit.Killed(Signal.KILL, false), new Exit.Unknown());
                if (child.isChild()) { // if this process adopted it
                    Optional<Exit> ignored = child.reap();
                }
            }
        }
    }

    @Test
    void theyOutliveTheThreadThatStartedThem() throws Exception {
        FutureTask<Child> start =
                new FutureTask<>(() ->
                        Spawn.of("sh", "-c", "echo; read x; exit 5")
                                .parentDeathSignal(Signal.KILL)
                                .stdin(Stdio.pipe())
                                .stdout(Stdio.pipe())
                                .start());
        int[] number = new int[1];
        Thread _ =
                Thread.ofPlatform()
                        .start(() -> {
                            number[0] = Unistd.gettid();
                            start.run();
                        });
        try (Child child = start.get()) {
            Await.until(() -> !Files.exists(Path.of("/proc/self/task/" + number[0])));
            assertThat(child.stdout().read()).isEqualTo('\n');
            child.stdin().close();
            assertThat(child.await()).isEqualTo(new Exit.Exited(5));
        }
    }

    @Test
    void noSignalIsNone() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Spawn.of("true").parentDeathSignal(new Signal(0)));
    }
}
