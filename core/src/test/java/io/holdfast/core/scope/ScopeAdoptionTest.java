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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Processes that were started elsewhere and are taken into a scope. */
@Timeout(60)
@Needs(cgroup2 = true, root = true)
class ScopeAdoptionTest {
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
