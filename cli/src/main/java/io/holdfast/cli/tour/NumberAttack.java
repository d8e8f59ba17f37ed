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
 * Makes the kernel hand a process's number to another process, as it does by itself after some ten
 * thousand forks: the number that comes next is set in {@code /proc/sys/kernel/ns_last_pid}. Needs
 * root. Starts and ends only processes of its own.
 */
final class NumberAttack implements AutoCloseable {
    private static final String NEXT_NUMBER = "/proc/sys/kernel/ns_last_pid";
    private static final int ROUNDS = 400;
    private static final int TRIES = 20;

    private final Child victim;
    private final ProcessHandle handle;
    private final Child stranger;

    private NumberAttack(Child victim, ProcessHandle handle, Child stranger) {
        this.victim = victim;
        this.handle = handle;
        this.stranger = stranger;
    }

    /**
     * Recycles until a process handle is fooled too: it tells processes apart by number and by
     * start time in steps of 10 ms.
     *
     * @return empty if this machine does not let us, or others took the numbers
     */
    static Optional<NumberAttack> run() throws InterruptedException {
        for (int round = 0; round < ROUNDS; round++) {
            Child victim = sleeper();
            int number = victim.pidFd().pid();
            ProcessHandle handle = ProcessHandle.of(number).orElseThrow();
            boolean killed = victim.signal(Signal.KILL);
            var ended = victim.await();
            Child stranger = killed ? withNumber(number) : null;
            if (stranger != null) {
                if (handle.isAlive()) {
                    return Optional.of(new NumberAttack(victim, handle, stranger));
                }
                end(stranger);
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

    /** The number that both had. */
    int number() {
        return (int) handle.pid();
    }

    /** The process that is gone. */
    PidFd victim() {
        return victim.pidFd();
    }

    /** What Java remembers of it. */
    ProcessHandle handle() {
        return handle;
    }

    /** The one that has its number now. */
    Child stranger() {
        return stranger;
    }

    @Override
    public void close() {
        try {
            end(stranger);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ErrnoException e) {
            // it has been killed by number: that was the point
        }
        victim.close();
    }
}
