package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The part of the kernel's pidfd_setns_test that is visible without entering a namespace. */
@Timeout(60)
class KernelSelftestNamespaceTest {
    private static final long OTHERS = Clone.NEWUTS | Clone.NEWIPC | Clone.NEWPID | Clone.NEWNET;

    @ParameterizedTest
    @EnumSource
    void aNamespaceIsTheOneThatProcShows(Namespace.Kind kind) throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd child = parent.held("child");
                Namespace namespace = child.namespace(kind)) {
            Path shown = Path.of("/proc/" + child.pid() + "/ns/" + kind.fileName());
            assertThat(Files.readSymbolicLink(shown).toString())
                    .endsWith(":[" + namespace.inode() + "]");
            assertThat(namespace.inode()).isEqualTo(Files.getAttribute(shown, "unix:ino"));
        }
    }

    @Test
    @Needs(root = true)
    void theNamespacesOfAProcessAreDistinguishedFromOurs() {
        try (ForeignParent parent = ForeignParent.start();
                PidFd self = PidFd.self();
                PidFd apart = parent.held("apart", "flags=" + OTHERS)) {
            for (Namespace.Kind kind : Namespace.Kind.values()) {
                try (Namespace ours = self.namespace(kind);
                        Namespace theirs = apart.namespace(kind)) {
                    boolean other =
                            switch (kind) {
                                case UTS, IPC, PID, PID_FOR_CHILDREN, NET -> true;
                                case CGROUP, MNT, TIME, TIME_FOR_CHILDREN, USER -> false;
                            };
                    assertThat(theirs.equals(ours)).as("%s is ours", kind).isEqualTo(!other);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void aProcessThatHasExitedGivesNone(Namespace.Kind kind) throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd child = parent.held("child", "exit=0")) {
            assertThat(child.await(Duration.ofSeconds(50))).isPresent();
            refused(child, kind, Errno.ESRCH);
            parent.reap(child.pid());
            refused(child, kind, Errno.ESRCH);
        }
    }

    @Test
    @Needs(root = true)
    void whoMayNotTraceIsRefused() throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd child = parent.held("child")) {
            AsUser.nobody(() -> refused(child, Namespace.Kind.NET, Errno.EACCES));
        }
    }

    private static void refused(PidFd process, Namespace.Kind kind, int errno) {
        assertThatThrownBy(() -> process.namespace(kind).close())
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }
}
