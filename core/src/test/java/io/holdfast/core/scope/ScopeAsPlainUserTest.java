package io.holdfast.core.scope;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.run.Run;
import io.holdfast.core.run.RunResult;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.NobodyJvm;
import io.holdfast.core.testkit.ScratchCgroup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The mechanism that a scope of an unprivileged user gets, depending on the user's cgroup. */
@Needs(root = true, cgroup2 = true, programs = "setpriv")
@Timeout(90)
class ScopeAsPlainUserTest {
    @TempDir Path folder;

    /** Runs as the user nobody. */
    static final class Nobody {
        private Nobody() {}

        @SuppressWarnings("MustBeClosed")
        public static void main(String[] arguments) throws Exception {
            Path file = Path.of(arguments[0], "pid");
            PidFd daemon;
            try (ProcessScope scope = ProcessScope.open()) {
                System.out.println("guarantee " + scope.guarantee());
                try (Child child = scope.start(Descendants.daemon(file))) {
                    System.out.println(child.await());
                    daemon = Descendants.written(file);
                    System.out.println("held " + !scope.isEmpty());
                }
            }
            System.out.println("alive " + daemon.isAlive());
            RunResult result = Run.of("id", "-u").run();
            System.out.println("run " + result.requireSuccess().output().strip());
            try {
                ProcessScope.open(ScopeOptions.standard().requireCgroup()).close();
                System.out.println("cgroup");
            } catch (ErrnoException e) {
                System.out.println("refused " + e.getMessage());
            }
        }
    }

    @BeforeEach
    void nobodyMayWrite() throws Exception {
        Path writable = Files.createDirectory(folder.resolve("writable"));
        Files.setAttribute(writable, "unix:uid", (int) NobodyJvm.ID);
    }

    private List<String> nobodyIn(Cgroup place) throws Exception {
        String writable = folder.resolve("writable").toString();
        Spawn spawn =
                Spawn.of(NobodyJvm.command(folder, List.of(), Nobody.class, writable))
                        .cgroup(place)
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.merged());
        try (Child jvm = spawn.start()) {
            String said = new String(jvm.stdout().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(jvm.await().isSuccess()).as(said).isTrue();
            return said.lines().toList();
        }
    }

    @Test
    void aDelegatedCgroupIsFound() throws Exception {
        try (ScratchCgroup scratch = ScratchCgroup.create()) {
            scratch.delegate(NobodyJvm.ID, ".");
            assertThat(nobodyIn(scratch.cgroup()))
                    .containsExactly(
                            "guarantee CGROUP",
                            "exited with status 0",
                            "held true",
                            "alive false",
                            "run 65534",
                            "cgroup");
        }
    }

    @Test
    void oneAboveOurOwnServesIfThatIsNotDelegated() throws Exception {
        try (ScratchCgroup scratch = ScratchCgroup.create();
                Cgroup inner = scratch.cgroup().create("inner")) {
            scratch.delegate(NobodyJvm.ID, ".");
            assertThat(nobodyIn(inner))
                    .contains("guarantee CGROUP", "held true", "alive false", "cgroup");
            assertThat(scratch.cgroup().childNames()).containsExactly("inner");
        }
    }

    @Test
    void withoutOneTheSubreaperServesAndARequiredCgroupIsRefusedWithTheReason() throws Exception {
        try (ScratchCgroup scratch = ScratchCgroup.create()) {
            List<String> said = nobodyIn(scratch.cgroup());
            assertThat(said)
                    .contains("guarantee SUBREAPER", "held true", "alive false", "run 65534");
            assertThat(said.getLast())
                    .startsWith("refused cgroup of a scope: EACCES")
                    .contains("cgroup.procs of cgroup " + scratch.cgroup().path().path())
                    .contains("Delegate=yes");
        }
    }
}
