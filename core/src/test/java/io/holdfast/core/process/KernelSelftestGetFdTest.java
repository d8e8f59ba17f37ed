package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelFile;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The kernel's pidfd_getfd_test. */
@Timeout(60)
@Needs(features = Feature.PIDFD_GETFD)
class KernelSelftestGetFdTest {
    private static final int GIVEN = 9;

    @Test
    void aFetchedDescriptorIsTheSameOpenFileAndCloseOnExec(@TempDir Path folder) throws Exception {
        Path path = folder.resolve("shared");
        try (Fd file = Fcntl.open(null, path.toString(), Fcntl.O_RDWR | Fcntl.O_CREAT, 0600);
                Child child = Spawn.of("sleep", "1000").descriptor(GIVEN, file).start();
                Fd fetched = child.pidFd().getFd(GIVEN)) {
            assertThat(Unistd.write(fetched, new byte[5], 0, 5)).isEqualTo(5);
            String ours = fdinfo(file);
            assertThat(Proc.field(ours, "pos")).as("one offset for all").isEqualTo("5");
            assertThat(Integer.parseInt(Proc.field(fdinfo(fetched), "flags"), 8) & Fcntl.O_CLOEXEC)
                    .isNotZero();
            assertThat(child.signal(Signal.KILL)).isTrue();
            assertThat(child.await()).isEqualTo(new Exit.Killed(Signal.KILL, false));
        }
    }

    private static String fdinfo(Fd fd) {
        return fd.with(n -> KernelFile.text(null, "/proc/self/fdinfo/" + n));
    }

    @Test
    void aNumberThatItDoesNotHaveIsRefused() {
        try (ForeignParent parent = ForeignParent.start();
                PidFd child = parent.held("child")) {
            refused(child, 4000, Errno.EBADF);
            refused(child, -1, Errno.EBADF);
            refused(child, -10_000, Errno.EBADF);
        }
    }

    @Test
    @Needs(root = true)
    void whoMayNotTraceIsRefused() throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd child = parent.held("child")) {
            AsUser.nobody(() -> refused(child, 0, Errno.EPERM));
            child.getFd(0).close();
        }
    }

    @Test
    void aProcessThatHasExitedIsSaidToBeGone() throws Exception {
        try (ForeignParent parent = ForeignParent.start();
                PidFd child = parent.held("child")) {
            assertThat(child.signal(Signal.KILL)).isTrue();
            assertThat(child.await(Duration.ofSeconds(50))).isPresent();
            refused(child, 0, Errno.ESRCH);
            parent.reap(child.pid());
            refused(child, 0, Errno.ESRCH);
        }
    }

    private static void refused(PidFd process, int number, int errno) {
        assertThatThrownBy(() -> process.getFd(number).close())
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }
}
