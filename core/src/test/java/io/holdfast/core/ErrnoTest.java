package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.sys.Fcntl;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ErrnoTest {
    @Test
    void everyNumberHasItsNameAndAText() throws IllegalAccessException {
        List<Integer> seen = new ArrayList<>();
        for (Field field : Errno.class.getFields()) {
            int number = field.getInt(null);
            assertThat(Errno.name(number)).isEqualTo(field.getName());
            assertThat(Errno.text(number)).as(field.getName()).isNotBlank();
            seen.add(number);
        }
        assertThat(seen).hasSizeGreaterThan(60).doesNotHaveDuplicates();
    }

    @Test
    void anUnknownNumberIsPrintedAsSuch() {
        assertThat(Errno.name(4711)).isEqualTo("errno 4711");
        assertThat(Errno.text(4711)).isEmpty();
        assertThat(new ErrnoException("frob", "it", 4711)).hasMessage("frob it: errno 4711");
    }

    @Test
    void anErrorSaysCallSubjectErrnoAndAdvice() {
        ErrnoException e = new ErrnoException("pidfd_open", "12345", Errno.ESRCH, "look again");
        assertThat(e).hasMessage("pidfd_open 12345: ESRCH (no such process); look again");
        assertThat(e.call()).isEqualTo("pidfd_open");
        assertThat(e.subject()).isEqualTo("12345");
        assertThat(e.errno()).isEqualTo(Errno.ESRCH);
        assertThat(new ErrnoException("pipe2", "", Errno.EMFILE))
                .hasMessage(
                        "pipe2: EMFILE (this process is out of descriptors; raise RLIMIT_NOFILE)");
    }

    @Test
    void anErrorCanGetAnotherSubject() {
        ErrnoException e = new ErrnoException("openat", "environ", Errno.EACCES, "ask root");
        assertThat(e.of("process 4711"))
                .hasMessage("openat environ of process 4711: EACCES (permission denied); ask root")
                .hasCause(e);
        assertThat(e.of("process 4711").errno()).isEqualTo(Errno.EACCES);
    }

    @Test
    void aResultIsCheckedOnce() {
        assertThat(ErrnoException.check(7, "dup", "it")).isEqualTo(7);
        assertThat(ErrnoException.check(0, "dup", "it")).isZero();
        assertThatThrownBy(() -> ErrnoException.check(-9, "dup", "it"))
                .hasMessage("dup it: EBADF (bad descriptor)");
    }

    @Test
    void aPathThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> Fcntl.open("/no/such/file", Fcntl.O_RDONLY))
                .isInstanceOf(ErrnoException.class)
                .hasMessage("open /no/such/file: ENOENT (no such file or directory)");
    }

    @Test
    void aMissingFeatureIsNamedWithTheKernelThatHasIt() {
        NotSupportedException e =
                new NotSupportedException("holding a thread", Feature.PIDFD_THREAD);
        assertThat(e).hasMessage("holding a thread needs pidfds of threads (Linux 6.9)");
        assertThat(e.feature()).isEqualTo(Feature.PIDFD_THREAD);
    }

    @Test
    void everyFeatureHasANameAVersionAndAFallback() {
        for (Feature feature : Feature.values()) {
            assertThat(feature.what()).isNotBlank();
            assertThat(feature.since()).matches("(Linux|glibc) .*");
            assertThat(feature.fallback()).isNotBlank();
            assertThat(feature.isPresent() && feature.isHidden()).isFalse();
        }
    }
}
