package io.holdfast.core.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A standard stream that is a FIFO: the start waits until the other end is open. */
@Timeout(60)
class SpawnFifoTest {
    private static final Exit SUCCESS = new Exit.Exited(0);

    private final OpenDescriptors before = OpenDescriptors.now();

    @TempDir Path folder;

    private Path fifo;

    @BeforeEach
    void make() {
        fifo = folder.resolve("fifo");
        try (Fd parent = Fcntl.open(folder.toString(), Fcntl.O_PATH | Fcntl.O_DIRECTORY)) {
            assertThat(SysStat.mkfifoat(parent, "fifo", 0600)).isZero();
        }
    }

    @AfterEach
    void nothingIsLeft() throws Exception {
        before.awaitSameNumber();
        SpawnErrorsTest.awaitNoChildren();
    }

    private static Thread begin(FutureTask<Child> start, boolean isVirtual) {
        return isVirtual
                ? Thread.ofVirtual().start(start)
                : Thread.ofPlatform().daemon().start(start);
    }

    private Spawn reader() {
        return Spawn.of("sh", "-c", "cat; grep flags /proc/self/fdinfo/0")
                .stdin(Stdio.from(fifo))
                .stdout(Stdio.pipe());
    }

    private Spawn writer() {
        return Spawn.of("echo", "text").stdout(Stdio.to(fifo));
    }

    private Fd open(int flags) {
        return Fcntl.open(fifo.toString(), flags);
    }

    /** Opens the end for writing once the start has opened the other one; never blocks. */
    private Fd writingEnd() {
        Fd[] opened = new Fd[1];
        Await.until(() -> {
            try {
                opened[0] = open(Fcntl.O_WRONLY | Fcntl.O_NONBLOCK);
                return true;
            } catch (ErrnoException e) {
                assertThat(e.errno()).isEqualTo(Errno.ENXIO);
                return false;
            }
        });
        return opened[0];
    }

    @SuppressWarnings("try") // closed early on purpose
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aReaderIsStartedOnceTheFifoHasAWriter(boolean isVirtual) throws Exception {
        FutureTask<Child> start = new FutureTask<>(reader()::start);
        Await.parked(begin(start, isVirtual));
        try (Fd writing = writingEnd();
                Child child = start.get()) {
            assertThat(Unistd.write(writing, "text\n".getBytes(UTF_8), 0, 5)).isEqualTo(5);
            writing.close();
            String output = new String(child.stdout().readAllBytes(), UTF_8);
            assertThat(output).startsWith("text\nflags:\t");
            int flags = Integer.parseInt(output.substring(output.indexOf('\t') + 1).strip(), 8);
            assertThat(flags & Fcntl.O_NONBLOCK).isZero();
            assertThat(child.await()).isEqualTo(SUCCESS);
        }
    }

    @Test
    void aReaderIsStartedThoughItsWriterIsGone() throws Exception {
        FutureTask<Child> start = new FutureTask<>(reader()::start);
        Await.parked(begin(start, false));
        writingEnd().close();
        try (Child child = start.get()) {
            assertThat(new String(child.stdout().readAllBytes(), UTF_8)).startsWith("flags:");
            assertThat(child.await()).isEqualTo(SUCCESS);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aWriterIsStartedOnceTheFifoHasAReader(boolean isVirtual) throws Exception {
        FutureTask<Child> start = new FutureTask<>(writer()::start);
        Await.parked(begin(start, isVirtual));
        try (Fd reading = open(Fcntl.O_RDONLY | Fcntl.O_NONBLOCK);
                Child child = start.get()) {
            assertThat(child.await()).isEqualTo(SUCCESS);
            byte[] bytes = new byte[10];
            assertThat(Unistd.read(reading, bytes, 0, bytes.length)).isEqualTo(5);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anInterruptEndsTheWaitForTheOtherEnd(boolean isVirtual) throws Exception {
        for (Spawn spawn : new Spawn[] {reader(), writer()}) {
            FutureTask<Child> start =
                    new FutureTask<>(() -> {
                        try {
                            return spawn.start();
                        } finally {
                            assertThat(Thread.interrupted()).isTrue();
                        }
                    });
            Thread thread = begin(start, isVirtual);
            try {
                Await.parked(thread);
                thread.interrupt();
                assertThatExceptionOfType(ExecutionException.class)
                        .isThrownBy(() -> start.get(20, TimeUnit.SECONDS))
                        .havingCause()
                        .isInstanceOfSatisfying(
                                ErrnoException.class,
                                e -> assertThat(e.errno()).isEqualTo(Errno.EINTR))
                        .withMessageContaining(fifo.toString());
            } finally {
                open(Fcntl.O_RDWR).close(); // ends a wait in open(2)
            }
        }
    }
}
