package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Feature;
import io.holdfast.core.NotSupportedException;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The kernel's pidfd_file_handle_test: a process is found again by its stored name. */
@Timeout(60)
class KernelSelftestFileHandleTest {
    private ForeignParent parent;

    @BeforeEach
    void startParent() {
        parent = ForeignParent.start();
    }

    @AfterEach
    void endParent() {
        parent.close();
    }

    @Test
    @Needs(features = Feature.PIDFS)
    void aStoredNameFindsTheProcessAgain() {
        try (PidFd child = parent.held("child");
                PidFd again = PidFd.restore(ProcessId.parse(child.processId().toString()))) {
            assertThat(again).isEqualTo(child).hasSameHashCodeAs(child);
            assertThat(again.id()).isEqualTo(child.id());
            assertThat(again.pid()).isEqualTo(child.pid());
        }
    }

    @Test
    @Needs(root = true, features = Feature.PIDFS)
    void aProcessOfAChildPidNamespaceIsFoundAgain() {
        try (PidFd child = parent.held("first", "flags=" + Clone.NEWPID);
                PidFd again = PidFd.restore(child.processId())) {
            assertThat(again).isEqualTo(child);
        }
    }

    @Test
    @Needs(root = true, features = Feature.PIDFS)
    void nobodyNeedsAPrivilegeForIt() throws Exception {
        try (PidFd child = parent.held("child")) {
            AsUser.nobody(() -> {
                try (PidFd again = PidFd.restore(child.processId())) {
                    assertThat(again).isEqualTo(child);
                }
            });
        }
    }

    @Test
    @Needs(features = Feature.PIDFS)
    void aZombieIsFoundAndAReapedProcessIsNotThoughItIsHeld() throws Exception {
        try (PidFd child = parent.held("child", "exit=0")) {
            ProcessId name = child.processId();
            assertThat(child.await(Duration.ofSeconds(50))).isPresent();
            try (PidFd again = PidFd.restore(name)) {
                assertThat(again).isEqualTo(child);
            }
            parent.reap(child.pid());
            assertThatThrownBy(() -> PidFd.restore(name))
                    .isInstanceOfSatisfying(
                            ErrnoException.class,
                            e -> assertThat(e.errno()).isEqualTo(Errno.ESRCH));
        }
    }

    @Test
    @Needs(features = Feature.PIDFS)
    void aNameOfAnotherBootIsRefused() {
        try (PidFd child = parent.held("child")) {
            ProcessId name = child.processId();
            ProcessId elsewhere =
                    new ProcessId(name.pid(), name.pidfdId(), Optional.of(new UUID(1, 2)));
            assertThatThrownBy(() -> PidFd.restore(elsewhere))
                    .isInstanceOfSatisfying(
                            ErrnoException.class,
                            e -> assertThat(e.errno()).isEqualTo(Errno.ESTALE));
        }
    }

    @Test
    void aNameWithoutIdIsOnlyANumberAndIsRefused() {
        ProcessId number = ProcessId.parse("1");
        assertThatThrownBy(() -> PidFd.restore(number)).isInstanceOf(NotSupportedException.class);
    }

    @Test
    void everyPidfdOfAProcessIsEqualAndThoseOfOthersAreNot() {
        try (PidFd one = parent.held("one");
                PidFd other = parent.held("other");
                PidFd again = PidFd.open(one.pid());
                PidFd copy = one.duplicate()) {
            assertThat(again).isEqualTo(one).hasSameHashCodeAs(one);
            assertThat(copy).isEqualTo(one).hasSameHashCodeAs(one);
            assertThat(other).isNotEqualTo(one);
            assertThat(again).isNotEqualTo(other);
        }
    }

    @Test
    @Needs(features = Feature.PIDFD_THREAD)
    void aThreadIsNotItsProcess() {
        try (PidFd process = PidFd.self();
                PidFd thread = PidFd.openThread(Unistd.gettid())) {
            assertThat(thread).isNotEqualTo(process);
            assertThat(thread.isThread()).isTrue();
            assertThat(process.isThread()).isFalse();
        }
    }
}
