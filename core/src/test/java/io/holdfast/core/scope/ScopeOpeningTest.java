package io.holdfast.core.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.run.Run;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.FullTable;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.NobodyJvm;
import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.core.testkit.ScratchCgroup;
import io.holdfast.core.testkit.Seccomp;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A scope that cannot be opened: it keeps the cause, leaves nothing, and is never a weaker one. */
@Timeout(120)
class ScopeOpeningTest {
    private static final int PIDFD_OPEN = 434;
    private static final int MAX_SPARE = 16;
    private static final int LIMIT = 160;

    /** Runs in a JVM of its own, whose descriptor table is full. */
    static final class InAFullTable {
        private InAFullTable() {}

        public static void main(String[] arguments) throws Exception {
            FullTable.limit(LIMIT, Fd.class);
            assertThat(MAX_SPARE).isPositive(); // loads the class while there are descriptors
            FullTable.fill(0);
            assertThat(failure()).isEqualTo(Errno.EMFILE); // also of what is read only once
            FullTable.empty();
            assertThat(failure()).isZero();
            OpenDescriptors before = OpenDescriptors.now();
            int failures = 0;
            for (int spare = MAX_SPARE; spare >= 0; spare--) {
                FullTable.fill(spare);
                int errno = failure();
                FullTable.empty();
                assertThat(errno).isIn(0, Errno.EMFILE);
                failures += errno == 0 ? 0 : 1;
                before.awaitSameNumber();
                try (Cgroup own = Cgroup.own()) {
                    assertThat(own.childNames())
                            .as(spare + " spare descriptors")
                            .noneMatch(InAFullTable::isOurs);
                }
            }
            assertThat(failures).isBetween(1, MAX_SPARE);
        }

        private static boolean isOurs(String cgroup) {
            return cgroup.startsWith(ScopeName.PREFIX)
                    && cgroup.contains("-" + ProcessHandle.current().pid() + ".");
        }

        @SuppressWarnings("MustBeClosed")
        private static int failure() {
            ProcessScope scope;
            try {
                scope = ProcessScope.open();
            } catch (ErrnoException e) {
                return e.errno();
            }
            assertThat(scope.guarantee()).isEqualTo(Guarantee.CGROUP);
            FullTable.empty(); // to close it
            scope.close();
            return 0;
        }
    }

    @Test
    @Needs(cgroup2 = true, root = true)
    void aShortageOfDescriptorsIsReportedAndLeavesNoCgroup() {
        ChildJvm.Result result = ChildJvm.run(List.of(), InAFullTable.class);
        assertThat(result.output()).isEmpty();
        assertThat(result.status()).isZero();
    }

    /** Opens scopes as the user nobody. */
    static final class Nobody {
        private Nobody() {}

        @SuppressWarnings("MustBeClosed")
        public static void main(String[] arguments) {
            ProcessScope first = ProcessScope.open();
            System.out.println(first.guarantee());
            try {
                System.out.println(ProcessScope.open().guarantee());
            } catch (ErrnoException e) {
                System.out.println(e.getMessage());
            }
            first.close();
            try (ProcessScope second = ProcessScope.open()) {
                System.out.println(second.guarantee());
            }
        }
    }

    @Test
    @Needs(cgroup2 = true, root = true, programs = "setpriv")
    void aLimitOfCgroupsIsNoReasonForAWeakerGuarantee(@TempDir Path folder) throws Exception {
        try (ScratchCgroup scratch = ScratchCgroup.create()) {
            scratch.delegate(NobodyJvm.ID, ".");
            Files.writeString(Path.of(scratch.folder(), "cgroup.max.descendants"), "1");
            Spawn spawn =
                    Spawn.of(NobodyJvm.command(folder, List.of(), Nobody.class))
                            .cgroup(scratch.cgroup())
                            .stdin(Stdio.devNull())
                            .stdout(Stdio.pipe())
                            .stderr(Stdio.merged());
            try (Child jvm = spawn.start()) {
                String output = new String(jvm.stdout().readAllBytes(), StandardCharsets.UTF_8);
                assertThat(output.lines().toList())
                        .satisfiesExactly(
                                line -> assertThat(line).isEqualTo("CGROUP"),
                                line ->
                                        assertThat(line)
                                                .contains("EAGAIN", "cgroup.max.descendants"),
                                line -> assertThat(line).isEqualTo("CGROUP"));
                assertThat(jvm.await().isSuccess()).isTrue();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {Errno.EPERM, Errno.ENOSYS})
    void aFilterThatRefusesPidfdOpenIsNamed(int errno) throws Exception {
        Seccomp.refusing(
                PIDFD_OPEN,
                errno,
                () -> {
                    assertThatExceptionOfType(ErrnoException.class)
                            .isThrownBy(ProcessScope::open)
                            .withMessageContaining("allow pidfd_open")
                            .matches(e -> e.errno() == errno);
                    assertThatExceptionOfType(ErrnoException.class)
                            .isThrownBy(() -> Run.of("true").run())
                            .withMessageContaining("allow pidfd_open");
                });
    }
}
