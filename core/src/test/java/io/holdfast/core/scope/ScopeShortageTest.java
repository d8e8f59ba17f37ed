package io.holdfast.core.scope;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.FullTable;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A scope whose JVM is out of descriptors, by each mechanism. */
@Timeout(120)
@Needs(cgroup2 = true, root = true)
class ScopeShortageTest {
    private static final int MAX_SPARE = 16;
    private static final int LIMIT = 160;
    private static final Exit KILLED = new Exit.Killed(Signal.KILL, false);

    /** Runs in a JVM of its own, whose descriptor table is full. */
    static final class InAFullTable {
        private final Guarantee guarantee;
        private final Path file;

        private InAFullTable(Guarantee guarantee, Path file) {
            this.guarantee = guarantee;
            this.file = file;
        }

        public static void main(String[] arguments) throws Exception {
            FullTable.limit(LIMIT, Fd.class);
            InAFullTable table =
                    new InAFullTable(Guarantee.valueOf(arguments[0]), Path.of(arguments[1]));
            assertThat(table.isRefused(LIMIT / 2)).isFalse(); // opens what stays open
            OpenDescriptors before = OpenDescriptors.now();
            int refusals = 0;
            for (int spare = MAX_SPARE; spare >= 0; spare--) {
                refusals += table.isRefused(spare) ? 1 : 0;
                before.awaitSameNumber();
            }
            assertThat(refusals).isBetween(1, MAX_SPARE);
            try (Cgroup own = Cgroup.own()) {
                assertThat(own.childNames()).noneMatch(InAFullTable::isOurs);
            }
        }

        private static boolean isOurs(String cgroup) {
            String number = "-" + ProcessHandle.current().pid() + ".";
            return cgroup.startsWith(ScopeName.PREFIX) && cgroup.contains(number);
        }

        /** Closes a scope with so many spare descriptors; returns whether that was refused. */
        private boolean isRefused(int spare) throws Exception {
            Files.deleteIfExists(file);
            String script =
                    "(setsid sh -c 'echo $$ > " + file + "; exec sleep 1000' &); exec sleep 1000";
            ProcessScope scope = ProcessScope.open(ScopeOptions.standard(), guarantee);
            try (Child child = scope.start(Descendants.shell(script));
                    PidFd daemon = Descendants.written(file);
                    Fd stat = Fcntl.open("/proc/" + daemon.pid() + "/stat", 0)) {
                FullTable.fill(spare);
                boolean refused = isCloseRefused(scope);
                if (refused && guarantee == Guarantee.SUBREAPER) {
                    assertThat(child.await()).isEqualTo(KILLED); // for its pidfd is held
                    Await.until(() -> !isStopped(stat));
                }
                FullTable.empty();
                if (spare % 2 == 0) { // otherwise it is closed without another call
                    scope.close();
                    assertThat(scope.isEmpty()).isTrue();
                }
                assertThat(child.await()).isEqualTo(KILLED);
                Await.until(() -> !daemon.isAlive());
                return refused;
            }
        }

        private static boolean isCloseRefused(ProcessScope scope) {
            try {
                scope.close();
                return false;
            } catch (ErrnoException e) {
                assertThat(e.errno()).isEqualTo(Errno.EMFILE);
                return true;
            }
        }

        private static boolean isStopped(Fd stat) {
            byte[] content = new byte[256];
            int n = Unistd.readFromStart(stat, content);
            return n > 0 && new String(content, 0, n, StandardCharsets.UTF_8).contains(") T ");
        }
    }

    @ParameterizedTest
    @EnumSource
    void isClosedOnceThereAreDescriptors(Guarantee guarantee, @TempDir Path folder) {
        ChildJvm.Result result =
                ChildJvm.run(
                        List.of(),
                        InAFullTable.class,
                        guarantee.name(),
                        folder.resolve("pid").toString());
        assertThat(result.output()).isEmpty();
        assertThat(result.status()).isZero();
    }
}
