package io.holdfast.core.scope;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Child;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Orphans of no scope that a JVM adopts while it has a scope without a cgroup. */
@Timeout(120)
class AdoptedZombiesTest {
    private static final int ORPHANS = 10;

    /** A JVM of its own: no other test has children there. */
    static final class Adopting {
        private static final ConcurrentLinkedQueue<Integer> STATUSES =
                new ConcurrentLinkedQueue<>();

        private Adopting() {}

        public static void main(String[] arguments) throws Exception {
            File marker = new File(arguments[0]);
            ProcessScope scope = ProcessScope.open(ScopeOptions.standard(), Guarantee.SUBREAPER);
            AtomicBoolean over = new AtomicBoolean();
            Thread owner = Thread.ofPlatform().start(() -> Await.until(() -> ran(7) && over.get()));
            for (int i = 0; i < ORPHANS; i++) {
                try (Child child = Descendants.shell("true & true &").start()) {
                    var _ = child.await();
                }
                int _ = new ProcessBuilder("sh", "-c", "true &").start().waitFor();
            }
            Await.until(() -> Descendants.zombies().isEmpty());
            System.out.println("reaped");
            String script = "(while [ ! -e '" + marker + "' ]; do :; done) &";
            try (Child child = Descendants.shell(script).start()) {
                var _ = child.await();
            }
            scope.close();
            Await.until(AdoptedZombies::areExpected);
            boolean _ = marker.createNewFile();
            Await.until(() -> !AdoptedZombies.areExpected());
            System.out.println("reaped after the scope");
            over.set(true);
            owner.join();
            System.out.println(STATUSES.stream().distinct().toList());
        }

        /** Runs a program on a thread that ends at once, so that the first thread inherits it. */
        private static boolean ran(int status) {
            try {
                Process[] process = new Process[1];
                Thread.ofPlatform().start(() -> process[0] = started(status)).join();
                STATUSES.add(process[0].waitFor());
                return true;
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        private static Process started(int status) {
            try {
                return new ProcessBuilder("sh", "-c", "exit " + status).start();
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Test
    void theyAreReapedAndChildrenOfOtherCodeAreNot(@TempDir Path folder) {
        ChildJvm.Result result =
                ChildJvm.run(List.of(), Adopting.class, folder.resolve("marker").toString());
        assertThat(result.output().lines())
                .containsExactly("reaped", "reaped after the scope", "[7]");
        assertThat(result.status()).isZero();
    }
}
