package io.holdfast.cli.tour;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.KernelFile;
import java.util.Optional;

/**
 * Makes the kernel reuse the PID of a dead process for another one, as happens anyway after tens of
 * thousands of forks: sets the next PID in {@code /proc/sys/kernel/ns_last_pid}. Needs root. Starts
 * and kills only its own processes.
 */
final class NumberAttack implements AutoCloseable {
    private static final String NEXT_NUMBER = "/proc/sys/kernel/ns_last_pid";
    private static final int ROUNDS = 400;
    private static final int TRIES = 20;

    private final Child victim;
    private final ProcessHandle handle;
    private final Child successor;

    private NumberAttack(Child victim, ProcessHandle handle, Child successor) {
        this.victim = victim;
        this.handle = handle;
        this.successor = successor;
    }

    /**
     * Reuses PIDs until a {@link ProcessHandle} is deceived, too, which compares the PID and the
     * start time, in steps of 10 ms.
     *
     * @return empty if the kernel does not permit it, or other processes took the PIDs
     */
    static Optional<NumberAttack> run() throws InterruptedException {
        for (int round = 0; round < ROUNDS; round++) {
            Child victim = sleeper();
            int number = victim.pidFd().pid();
            ProcessHandle handle = ProcessHandle.of(number).orElseThrow();
            boolean killed = victim.signal(Signal.KILL);
            var ended = victim.await();
            Child successor = killed ? withNumber(number) : null;
            if (successor != null) {
                if (handle.isAlive()) {
                    return Optional.of(new NumberAttack(victim, handle, successor));
                }
                end(successor);
            } else if (ended.isSuccess()) {
                throw new IllegalStateException("the sleeper woke by itself");
            }
            victim.close();
        }
        return Optional.empty();
    }

    private static Child sleeper() {
        return Spawn.of("sleep", "60")
                .stdin(Stdio.devNull())
                .stdout(Stdio.devNull())
                .stderr(Stdio.devNull())
                .start();
    }

    private static @org.jspecify.annotations.Nullable Child withNumber(int number)
            throws InterruptedException {
        for (int i = 0; i < TRIES; i++) {
            if (KernelFile.write(null, NEXT_NUMBER, Integer.toString(number - 1)) < 0) {
                return null;
            }
            Child child = sleeper();
            if (child.pidFd().pid() == number) {
                return child;
            }
            end(child);
        }
        return null;
    }

    private static void end(Child child) throws InterruptedException {
        try (child) {
            boolean ignored = child.signal(Signal.KILL);
            var exit = child.await();
            if (exit.isSuccess()) {
                throw new IllegalStateException("the sleeper woke by itself");
            }
        }
    }

    /** Returns the PID that both processes had. */
    int number() {
        return (int) handle.pid();
    }

    /** Returns the process that is gone. */
    PidFd victim() {
        return victim.pidFd();
    }

    /** Returns Java's handle of the process that is gone. */
    ProcessHandle handle() {
        return handle;
    }

    /** Returns the process that has the PID now. */
    Child successor() {
        return successor;
    }

    @Override
    public void close() {
        try {
            end(successor);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ErrnoException e) {
            // the tour has killed it through its PID
        }
        victim.close();
    }
}
