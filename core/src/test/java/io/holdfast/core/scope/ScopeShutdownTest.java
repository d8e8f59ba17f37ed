package io.holdfast.core.scope;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.CgroupPath;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.run.Run;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What happens to the processes of a scope when its JVM ends, and how another JVM finds them. */
@Timeout(120)
@Needs(cgroup2 = true, root = true)
class ScopeShutdownTest {
    private static final int TERMINATED = 128 + 15;

    @TempDir Path folder;

    /** How the JVM that opens the scope ends. */
    enum End {
        /** By SIGTERM, as by docker stop and systemctl stop. */
        TERM,
        /** By System.exit. */
        EXIT,
        /** By the end of its last thread. */
        RETURN,
        /** By SIGKILL. */
        KILL
    }

    /** The JVM that opens the scope and starts a daemon in it. */
    static final class Opener {
        private static final CountDownLatch NEVER = new CountDownLatch(1);

        private Opener() {}

        public static void main(String[] arguments) throws Exception {
            End end = End.valueOf(arguments[0]);
            ScopeOptions options =
                    ScopeOptions.standard().withName("a-b c").withGrace(Duration.ofMinutes(10));
            if (arguments[3].equals("kept")) {
                options = options.keepAtShutdown();
            }
            ProcessScope scope = ProcessScope.open(options, Guarantee.valueOf(arguments[1]));
            try (Child child = scope.start(Descendants.daemon(Path.of(arguments[2])))) {
                var _ = child.await();
            }
            Descendants.awaitWritten(Path.of(arguments[2])); // before the end of the scope kills it
            switch (end) {
                case TERM, KILL -> NEVER.await();
                case EXIT -> System.exit(3);
                case RETURN -> {}
            }
        }
    }

    /** Runs the other JVM to its end; returns its status. */
    private int run(End end, Guarantee guarantee, Path file, String mode) throws Exception {
        List<String> command =
                ChildJvm.command(
                        List.of(),
                        Opener.class,
                        end.name(),
                        guarantee.name(),
                        file.toString(),
                        mode);
        Process jvm = new ProcessBuilder(command).inheritIO().start();
        try {
            Descendants.awaitWritten(file);
            if (end == End.TERM) {
                jvm.destroy();
            } else if (end == End.KILL) {
                Process _ = jvm.destroyForcibly();
            }
            return jvm.waitFor();
        } finally {
            Process _ = jvm.destroyForcibly();
        }
    }

    /** Returns the scopes that a process is in, by the mark in its environment or its cgroup. */
    private static List<LeftoverScope> leftoversWith(PidFd process) {
        CgroupPath path = process.cgroupPath();
        List<Mark> marks = Mark.inEnvironment(process);
        return ProcessScope.leftovers().stream()
                .filter(scope ->
                        scope.cgroup()
                                .map(path::isWithin)
                                .orElseGet(() ->
                                        marks.stream()
                                                .anyMatch(mark ->
                                                        mark.owner().pid() == scope.jvm().pid())))
                .toList();
    }

    @ParameterizedTest
    @EnumSource(names = {"TERM", "EXIT", "RETURN"})
    void aJvmThatShutsDownEndsItsScopes(End end) throws Exception {
        for (Guarantee guarantee : Guarantee.values()) {
            Path file = folder.resolve(guarantee.name());
            int status = run(end, guarantee, file, "standard");
            assertThat(status).isEqualTo(end == End.TERM ? TERMINATED : end == End.EXIT ? 3 : 0);
            Optional<PidFd> daemon = PidFd.find(Integer.parseInt(Files.readString(file).strip()));
            if (daemon.isPresent()) { // not reaped yet
                try (PidFd exited = daemon.get()) {
                    assertThat(exited.isAlive()).as(guarantee + " " + end).isFalse();
                }
            }
        }
        assertThat(ownScopes()).isEmpty();
    }

    private static List<String> ownScopes() {
        try (Cgroup own = Cgroup.own()) {
            return own.childNames().stream()
                    .filter(name -> name.startsWith(ScopeName.PREFIX + "a\\x2db"))
                    .toList();
        }
    }

    @ParameterizedTest
    @EnumSource
    void aScopeThatIsKeptContinuesAfterTheShutdownAndIsNotLeftOver(Guarantee guarantee)
            throws Exception {
        Path file = folder.resolve("kept");
        int _ = run(End.TERM, guarantee, file, "kept");
        try (PidFd daemon = Descendants.written(file)) {
            assertThat(daemon.isAlive()).isTrue();
            assertThat(leftoversWith(daemon)).isEmpty();
            end(daemon);
        }
    }

    /** Ends a daemon of a kept scope, and removes the cgroup of that scope. */
    private static void end(PidFd daemon) throws Exception {
        try (Cgroup cgroup = Cgroup.open(daemon.cgroupPath().path())) {
            boolean _ = daemon.signal(io.holdfast.core.Signal.KILL);
            Await.until(() -> !daemon.isAlive());
            if (cgroup.path().path().contains(ScopeName.PREFIX)) {
                boolean _ = cgroup.awaitEmpty(Duration.ofMinutes(1));
                cgroup.remove();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void theScopesOfAKilledJvmAreFoundAndEnded(Guarantee guarantee) throws Exception {
        Path file = folder.resolve("killed");
        int _ = run(End.KILL, guarantee, file, "standard");
        try (PidFd daemon = Descendants.written(file)) {
            List<LeftoverScope> found = leftoversWith(daemon);
            assertThat(found).hasSize(1);
            LeftoverScope scope = found.getFirst();
            assertThat(scope.guarantee()).isEqualTo(guarantee);
            assertThat(scope.processes()).isEqualTo(1);
            assertThat(scope.name()).isEqualTo(guarantee == Guarantee.CGROUP ? "a-b c" : "");
            assertThat(scope.jvm().pid()).isNotEqualTo(daemon.pid()).isPositive();

            scope.kill();

            assertThat(daemon.isAlive()).isFalse();
            scope.kill(); // again: does nothing
        }
        assertThat(ProcessScope.leftovers()).noneMatch(scope -> scope.name().equals("a-b c"));
        assertThat(ownScopes()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void theScopeOfALivingJvmIsNotLeftOver(Guarantee guarantee) throws Exception {
        Path file = folder.resolve("alive");
        try (ProcessScope scope = ProcessScope.open(ScopeOptions.standard(), guarantee);
                Child child = scope.start(Descendants.daemon(file))) {
            var _ = child.await();
            try (PidFd daemon = Descendants.written(file)) {
                assertThat(leftoversWith(daemon)).isEmpty();
                assertThat(daemon.isAlive()).isTrue();
            }
        }
    }

    /** A JVM with a shutdown hook that runs a program, while a scope is open. */
    static final class WithHook {
        private WithHook() {}

        public static void main(String[] arguments) {
            @SuppressWarnings("MustBeClosed")
            ProcessScope scope = ProcessScope.open();
            Child child = scope.start(Descendants.shell("exec sleep 1000"));
            String cleanup =
                    "while kill -s 0 %d; do :; done 2>/dev/null; echo cleaned"
                            .formatted(child.pidFd().pid());
            Runtime.getRuntime().addShutdownHook(new Thread(() -> clean(cleanup)));
        }

        private static void clean(String script) {
            try {
                System.out.println(Run.of("sh", "-c", script).run().output());
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    @Test
    void aProgramThatAShutdownHookRunsIsNotEnded() {
        ChildJvm.Result result = ChildJvm.run(List.of(), WithHook.class);
        assertThat(result.output()).contains("cleaned");
        assertThat(result.status()).isZero();
    }

    @Test
    void anOwnerIsDeadOnlyIfThatIsCertain() throws Exception {
        Owner self = Owner.self();
        assertThat(self.isDead()).isFalse();
        assertThat(Owner.parse(self.toString())).contains(self);
        assertThat(new Owner(self.pid(), self.id() + 1, self.namespace()).isDead()).isTrue();
        assertThat(new Owner(self.pid(), 0, self.namespace()).isDead()).isFalse();
        assertThat(new Owner(self.pid(), self.id() + 1, self.namespace() + 1).isDead()).isFalse();
        assertThat(self.neverDead().isDead()).isFalse();
        assertThat(Owner.parse("4711.1.2.3")).isEmpty();
        assertThat(Owner.parse("99999999999.1.2")).isEmpty();

        Process process = new ProcessBuilder("true").start();
        Owner ended = new Owner((int) process.pid(), 0, self.namespace());
        int _ = process.waitFor();
        assertThat(ended.isDead()).isTrue();
    }
}
