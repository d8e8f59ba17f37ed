package io.holdfast.core.wait;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.ClosedException;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.SysPoll;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.spi.AbstractInterruptibleChannel;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The waits of platform threads for one descriptor. Each thread waits in {@code ppoll(2)} itself,
 * so that no other thread has to run to wake it.
 *
 * <p>A waiting thread pins the descriptor, so its number cannot be recycled meanwhile. The thread
 * also polls an eventfd, which wakes it when it is interrupted, or when the descriptor is closed;
 * it then releases its pin. The eventfd is kept for the next wait, and closed with the descriptor.
 */
public final class PollWaits implements Fd.Holder {
    @GuardedBy("this")
    private final List<Wait> waiting = new ArrayList<>(1);

    @GuardedBy("this")
    private @Nullable SysEventfd idle;

    private PollWaits() {}

    /**
     * Waits until the descriptor is ready.
     *
     * @param nanos {@link Long#MAX_VALUE} for no limit
     * @return the events that it is ready for, 0 when the time is over, or -errno: EMFILE or ENFILE
     *     if no eventfd can be made
     */
    public static int await(Fd fd, int events, long nanos) throws InterruptedException {
        int number = fd.acquire();
        try {
            PollWaits waits = fd.holder(PollWaits.class, PollWaits::new);
            Wait wait;
            try {
                wait = waits.begin();
            } catch (ErrnoException e) {
                return -e.errno();
            }
            try {
                return wait.await(fd, number, events, nanos);
            } finally {
                waits.end(wait);
            }
        } finally {
            fd.release();
        }
    }

    private synchronized Wait begin() {
        SysEventfd waker = idle != null ? idle : new SysEventfd();
        idle = null;
        Wait wait = new Wait(waker);
        waiting.add(wait);
        return wait;
    }

    private void end(Wait wait) {
        wait.endInterruptible();
        synchronized (this) {
            waiting.remove(wait);
            if (idle == null) {
                if (wait.woken) {
                    wait.waker.drain();
                }
                idle = wait.waker;
                return;
            }
        }
        wait.waker.close();
    }

    /** Wakes a wait, unless it is over: its waker may belong to another wait by now. */
    private synchronized void wake(Wait wait) {
        if (waiting.contains(wait)) {
            wait.woken = true;
            wait.waker.signal();
        }
    }

    @Override
    public synchronized void closing() {
        waiting.forEach(this::wake);
    }

    @Override
    public synchronized void beforeClose(int number) {
        if (idle != null) {
            idle.close();
            idle = null;
        }
    }

    @Override
    public boolean isWaitedFor() {
        return false; // a waiting thread pins the descriptor, which already prevents a move
    }

    @Override
    public void moved(int number) {
        beforeClose(number);
    }

    /**
     * The wait of one thread. It is an interruptible channel only because {@link Thread#interrupt}
     * closes one; no other code uses it as a channel.
     */
    private final class Wait extends AbstractInterruptibleChannel {
        private final SysEventfd waker;
        private boolean woken; // guarded by the monitor of the waits

        Wait(SysEventfd waker) {
            this.waker = waker;
        }

        int await(Fd fd, int number, int events, long nanos) throws InterruptedException {
            boolean limited = nanos != Long.MAX_VALUE;
            long deadline = limited ? System.nanoTime() + nanos : 0;
            begin();
            for (long left = nanos; ; left = limited ? deadline - System.nanoTime() : nanos) {
                if (!fd.isOpen()) {
                    throw new ClosedException(fd + " was closed while waited for");
                }
                int ready = SysPoll.await(number, events, waker.number(), left);
                if (ready != 0) {
                    return ready;
                }
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
                if (left <= 0 && fd.isOpen()) {
                    return 0;
                }
            }
        }

        void endInterruptible() {
            try {
                end(true);
            } catch (AsynchronousCloseException e) {
                // interrupted: await has thrown InterruptedException, or the status is still set
            }
        }

        /** Called by an interrupt of the thread, possibly after the wait is over. */
        @Override
        protected void implCloseChannel() {
            wake(this);
        }
    }
}
