package io.holdfast.core.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Processes that were started elsewhere and are taken into a scope. */
@Timeout(60)
@Needs(cgroup2 = true, root = true)
class ScopeAdoptionTest {
    private static final int SOME = 10;

    private static ProcessScope open(Guarantee guarantee) {
        return ProcessScope.open(ScopeOptions.standard(), guarantee);
    }

    @Test
    void anAdoptedProcessEndsWithTheScopeAndItsFormerDescendantsDoNot(@TempDir Path folder)
            throws Exception {
        Path before = folder.resolve("before");
        Path after = folder.resolve("after");
        String script =
                "sh -c 'echo $$ > %s; exec sleep 1000' & read x; sh -c 'echo $$ > %s; exec sleep 1000' & wait"
                        .formatted(before, after);
        try (Child outside = Spawn.of("sh", "-c", script).stdin(Stdio.pipe()).start();
                PidFd former = Descendants.written(before)) {
            try (ProcessScope scope = open(Guarantee.CGROUP)) {
                scope.adopt(outside.pidFd());
                outside.stdin().write('\n');
                outside.stdin().flush();
                try (PidFd later = Descendants.written(after);
                        Members members = scope.members()) {
                    assertThat(members).containsExactlyInAnyOrder(outside.pidFd(), later);
                }
            }
            assertThat(outside.await()).isEqualTo(new Exit.Killed(Signal.KILL, false));
            assertThat(former.isAlive()).isTrue();
            boolean _ = former.signal(Signal.KILL);
        }
    }

    @Test
    void anAdoptedChildOfASubreaperIsReapedByItsOwner(@TempDir Path folder) throws Exception {
        List<PidFd> children = new ArrayList<>();
        try (ProcessScope _ = open(Guarantee.SUBREAPER)) { // makes this JVM a subreaper
            try (ProcessScope scope = open(Guarantee.CGROUP)) {
                for (int i = 0; i < SOME; i++) {
                    PidFd child = orphan(folder.resolve("pid" + i));
                    children.add(child);
                    scope.adopt(child);
                }
            }
            for (PidFd child : children) {
                var _ = child.await();
                assertThat(child.reap()).contains(new Exit.Killed(Signal.KILL, false));
                child.close();
            }
        }
    }

    /** Starts a process that this JVM, as a subreaper, inherits from its parent. */
    private static PidFd orphan(Path file) throws Exception {
        String script = "setsid sh -c 'echo $$ > " + file + "; exec sleep 1000' &";
        assertThat(new ProcessBuilder("sh", "-c", script).start().waitFor()).isZero();
        return Descendants.written(file);
    }

    @Test
    void anAdoptedProcessOfASubreaperKeepsItsExitValue() throws Exception {
        try (ProcessScope _ = open(Guarantee.SUBREAPER)) {
            List<Process> processes = new ArrayList<>();
            try (ProcessScope scope = open(Guarantee.CGROUP)) {
                for (int i = 0; i < SOME; i++) {
                    Process process = new ProcessBuilder("sleep", "1000").start();
                    processes.add(process);
                    try (PidFd held = PidFd.of(process)) {
                        scope.adopt(held);
                    }
                }
            }
            for (Process process : processes) {
                assertThat(process.waitFor()).isEqualTo(128 + Signal.KILL.number());
            }
        }
    }

    @Test
    void aProcessThatHasEndedIsNotAdopted() throws Exception {
        try (Child ended = Spawn.of("true").start();
                ProcessScope scope = open(Guarantee.CGROUP)) {
            var _ = ended.await();
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> scope.adopt(ended.pidFd()))
                    .matches(e -> e.errno() == Errno.ESRCH);
        }
    }

    @Test
    void aScopeWithoutCgroupAdoptsNothingAndSaysWhy() {
        try (Child outside = Spawn.of("sleep", "1000").start();
                ProcessScope scope = open(Guarantee.SUBREAPER)) {
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> scope.adopt(outside.pidFd()))
                    .withMessageContaining("it needs a cgroup")
                    .matches(e -> e.errno() == Errno.EOPNOTSUPP);
            assertThat(outside.signal(Signal.KILL)).isTrue();
        }
    }
}
