package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Descriptor numbers are recycled: compares an owner that is only a number and a flag with {@link
 * Fd}, under the same schedule and the same stress.
 */
@Timeout(60)
class FdRecyclingTest {
    private static final long CLOSED = -1;

    /** A descriptor that can report the file that is open under its number. */
    private interface Handle {
        /** The inode number of that file, or {@link #CLOSED}. */
        long inode(Runnable beforeTheCall);

        void close();
    }

    /** The usual way without Fd: checks a flag, then makes the call. */
    private static final class Unguarded implements Handle {
        private final int number;
        private volatile boolean closed;

        Unguarded(Fd fd) {
            this.number = fd.with(n -> n);
        }

        @Override
        public long inode(Runnable beforeTheCall) {
            if (closed) {
                return CLOSED;
            }
            beforeTheCall.run();
            try {
                return SysStat.inode(Fd.adopt(number));
            } catch (ErrnoException e) {
                assertThat(e.errno()).isEqualTo(Errno.EBADF);
                return 0; // the number is not reused yet: as wrong, but less harmful
            }
        }

        @Override
        public void close() {
            closed = true;
            Unistd.close(number);
        }
    }

    private record Guarded(Fd fd) implements Handle {
        @Override
        public long inode(Runnable beforeTheCall) {
            try {
                return fd.with(n -> {
                    beforeTheCall.run();
                    return SysStat.inode(Fd.adopt(n));
                });
            } catch (IllegalStateException e) {
                return CLOSED;
            }
        }

        @Override
        public void close() {
            fd.close();
        }
    }

    private interface Maker {
        Handle of(Fd fd);
    }

    /** A pipe, which has a unique inode number. */
    private static Fd pipeEnd() {
        Fd[] pipe = Unistd.pipe2(0);
        pipe[1].close();
        return pipe[0];
    }

    private static int numberOf(Fd fd) {
        return fd.with(n -> n);
    }

    /** Closes the handle between its check and its call, and opens another pipe meanwhile. */
    private static long inodeSeenWhenClosedInBetween(Maker maker, List<Fd> other) {
        Fd fd = pipeEnd();
        int number = numberOf(fd);
        Handle handle = maker.of(fd);
        return handle.inode(() -> {
            handle.close();
            Fd next = pipeEnd();
            if (numberOf(next) != number) { // a lower number was free
                int low = Fcntl.dupfd(next, number);
                next.close();
                next = Fd.adopt(low);
            }
            other.add(next);
        });
    }

    @Test
    void aCallOnAMereNumberReachesItsNewOwner() {
        List<Fd> other = new ArrayList<>();
        long seen = inodeSeenWhenClosedInBetween(Unguarded::new, other);
        try (Fd foreign = other.getFirst()) {
            assertThat(seen).isEqualTo(SysStat.inode(foreign));
        }
    }

    @Test
    void aCallInAnFdReachesWhatItWasMadeOnThoughItIsClosedMeanwhile() {
        List<Fd> other = new ArrayList<>();
        long seen = inodeSeenWhenClosedInBetween(Guarded::new, other);
        try (Fd foreign = other.getFirst()) {
            assertThat(seen).isPositive().isNotEqualTo(SysStat.inode(foreign));
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // makes the worst schedule likely
    private static void giveWay() {
        Thread.yield();
    }

    private record Resource(Handle handle, long inode) {}

    /** Replaces the open file repeatedly while other threads use it; returns the wrong calls. */
    private static final class Stress {
        private final Maker maker;
        private final AtomicReference<Resource> current;
        private final AtomicBoolean over = new AtomicBoolean();
        private final AtomicLong wrong = new AtomicLong();
        private final AtomicLong right = new AtomicLong();

        Stress(Maker maker) {
            this.maker = maker;
            this.current = new AtomicReference<>(open());
        }

        private Resource open() {
            Fd fd = pipeEnd();
            return new Resource(maker.of(fd), SysStat.inode(fd));
        }

        private void use() {
            while (!over.get()) {
                Resource resource = current.get();
                long seen = resource.handle.inode(FdRecyclingTest::giveWay);
                if (seen == resource.inode) {
                    right.incrementAndGet();
                } else if (seen != CLOSED) {
                    wrong.incrementAndGet();
                }
            }
        }

        /** Returns the number of replacements. */
        long run(long rounds, boolean untilWrong) throws InterruptedException {
            Thread[] users = new Thread[3];
            CountDownLatch started = new CountDownLatch(users.length);
            for (int i = 0; i < users.length; i++) {
                users[i] =
                        Thread.ofPlatform()
                                .start(() -> {
                                    started.countDown();
                                    use();
                                });
            }
            started.await();
            long done = 0;
            while (untilWrong ? wrong.get() == 0 : done < rounds) {
                current.getAndSet(open()).handle.close();
                done++;
                if ((done & 7) == 0) {
                    Thread.onSpinWait();
                }
            }
            over.set(true);
            for (Thread user : users) {
                user.join();
            }
            current.get().handle.close();
            return done;
        }
    }

    @Test
    void underStressTheNumberGoesWrongAndTheFdNever() throws InterruptedException {
        Stress numbers = new Stress(Unguarded::new);
        long needed = numbers.run(0, true);
        assertThat(numbers.wrong.get()).isPositive();

        Stress fds = new Stress(Guarded::new);
        long rounds = fds.run(Math.max(20_000, 10 * needed), false);
        assertThat(fds.wrong.get()).as("wrong calls in %d recyclings", rounds).isZero();
        assertThat(fds.right.get()).isPositive();
    }
}
