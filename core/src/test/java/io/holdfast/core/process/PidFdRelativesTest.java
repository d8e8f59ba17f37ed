package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Processes that are not children: their children, their exits, and the names that other tools give
 * them.
 */
@Timeout(60)
class PidFdRelativesTest {
    private static final String TREE = "sh -c 'sleep 1000 & sleep 1000 & wait' & echo; wait";

    private final OpenDescriptors before = OpenDescriptors.now();

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    private static List<String> names(Iterable<PidFd> processes) {
        List<String> names = new ArrayList<>();
        for (PidFd each : processes) {
            names.add(each.proc().name());
        }
        return names;
    }

    private static int descendants(PidFd top) {
        try (Members all = top.descendants()) {
            return names(all).stream().filter(each -> each.equals("sleep")).toList().size();
        }
    }

    @Test
    void childrenAndDescendantsAreHeldAndVerified() throws Exception {
        try (Child top =
                Spawn.of("sh", "-c", TREE)
                        .stdin(Stdio.devNull())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.devNull())
                        .start()) {
            assertThat(top.stdout().read()).isEqualTo('\n');
            Await.until(() -> descendants(top.pidFd()) == 2);
            try (Members children = top.pidFd().children();
                    Members all = top.pidFd().descendants();
                    AutoCloseable _ = () -> all.forEach(each -> each.signal(Signal.KILL))) {
                assertThat(names(children)).containsExactly("sh");
                assertThat(names(all)).containsExactly("sh", "sleep", "sleep");
                PidFd shell = children.iterator().next();
                assertThat(all.iterator().next()).isEqualTo(shell);
                try (PidFd parent = shell.parent().orElseThrow()) {
                    assertThat(parent).isEqualTo(top.pidFd());
                }
            } finally {
                boolean _ = top.signal(Signal.KILL); // unless it has ended, too
            }
            Exit _ = top.await();
            try (Members none = top.pidFd().descendants()) {
                assertThat(none).isEmpty();
            }
        }
    }

    @Test
    void aZombieIsAChildAndShowsHowItEnded() {
        try (ForeignParent parent = ForeignParent.start();
                PidFd holder = PidFd.open(parent.pid())) {
            int number = parent.child("zombie", "exit=7");
            try (Members children = holder.children()) {
                PidFd zombie = children.iterator().next();
                assertThat(children).hasSize(1);
                Await.until(() -> zombie.state() == PidFd.State.EXITED);
                assertThat(zombie.exit()).contains(new Exit.Exited(7));
                assertThat(zombie.exit()).contains(new Exit.Exited(7));
                assertThat(parent.reap(number)).isEqualTo(new Exit.Exited(7));
                assertThat(zombie.exit())
                        .contains(
                                Feature.EXIT_INFO.isPresent()
                                        ? new Exit.Exited(7)
                                        : new Exit.Unknown());
            }
        }
    }

    @Test
    void oneThatLivesHasNoExitAndOurOwnChildHasOne() throws Exception {
        try (PidFd self = PidFd.self();
                Child child = Spawn.of("sh", "-c", "read x; exit 3").stdin(Stdio.pipe()).start()) {
            assertThat(self.exit()).isEmpty();
            assertThat(child.pidFd().exit()).isEmpty();
            child.stdin().close();
            assertThat(child.await()).isEqualTo(new Exit.Exited(3));
            assertThat(child.pidFd().exit()).contains(new Exit.Exited(3));
        }
    }

    @Test
    @Needs(root = true)
    void theStatusOfAZombieNeedsAccessToIt() throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd zombie = parent.held("zombie", "exit=0")) {
            Await.until(() -> zombie.state() == PidFd.State.EXITED);
            List<Optional<Exit>> exits = new ArrayList<>();
            AsUser.nobody(() -> exits.add(zombie.exit()));
            assertThat(exits).containsExactly(Optional.of(new Exit.Unknown()));
        }
    }

    @Test
    @Needs(features = Feature.PIDFS)
    void theNameThatUtilLinuxTakesIsOfThisBoot() {
        try (PidFd self = PidFd.self()) {
            ProcessId name = self.processId().inThisBoot();
            assertThat(self.toString()).isEqualTo("process " + name);
            try (PidFd again = PidFd.restore(ProcessId.parse(name.toString()))) {
                assertThat(again).isEqualTo(self);
            }
            ProcessId other = ProcessId.parse("1:" + Long.toUnsignedString(self.id()));
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> PidFd.restore(other))
                    .matches(e -> e.errno() == Errno.ESRCH);
        }
    }
}
