package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.ChildJvm;
import java.io.BufferedReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A child that is held when its JVM is killed ends, and never executes its program. */
@Timeout(120)
class SpawnOfAKilledJvmTest {
    private static final int HELD = 5;

    @TempDir Path folder;

    /** The other JVM: holds children forever, and prints their PIDs. */
    static final class Holder {
        private static final CountDownLatch NEVER = new CountDownLatch(1);

        private Holder() {}

        public static void main(String[] traces) {
            for (String trace : traces) {
                Thread.ofPlatform().start(() -> hold(trace));
            }
        }

        private static void hold(String trace) {
            Child ignored =
                    Spawn.of("touch", trace)
                            .whileHeld(child -> {
                                say(child.pid());
                                awaitForEver();
                            })
                            .start();
        }

        private static synchronized void say(int pid) {
            System.out.println(pid);
        }

        private static void awaitForEver() {
            try {
                NEVER.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Test
    void itEndsAndNeverExecutesItsProgram() throws Exception {
        List<Path> traces = new ArrayList<>();
        for (int i = 0; i < HELD; i++) {
            traces.add(folder.resolve("trace" + i));
        }
        Process jvm =
                new ProcessBuilder(
                                ChildJvm.command(
                                        List.of(),
                                        Holder.class,
                                        traces.stream().map(Path::toString).toArray(String[]::new)))
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        List<PidFd> held = new ArrayList<>();
        try (BufferedReader said = jvm.inputReader(StandardCharsets.UTF_8)) {
            for (int i = 0; i < HELD; i++) {
                int pid = Integer.parseInt(said.readLine());
                held.add(PidFd.open(pid)); // it is held: the PID is pinned
            }
            assertThat(held).allMatch(PidFd::isAlive);
        } finally {
            int ignored = jvm.destroyForcibly().waitFor();
        }
        for (PidFd child : held) {
            try (child) {
                assertThat(child.await())
                        .isIn(new Exit.Exited(127), new Exit.Unknown()); // depends on its adopter
                if (child.isChild()) { // if this process adopted it
                    Optional<Exit> ignored = child.reap();
                }
            }
        }
        assertThat(traces).noneMatch(trace -> trace.toFile().exists());
    }
}
