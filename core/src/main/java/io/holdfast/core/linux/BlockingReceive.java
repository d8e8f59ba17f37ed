package io.holdfast.core.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.spi.AbstractInterruptibleChannel;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * How a platform thread waits for a stream in {@code recv(2)} itself, which is one call after it
 * was woken, where poll and receive are two. One thread for each socket; a second one, or one that
 * is left without a descriptor, waits as {@link PollWaits} do.
 *
 * <p>A waiting thread holds a use of the socket, and receives from a number of its own: a duplicate
 * that is kept for the next wait until one is woken, and closed with the socket. The close of the
 * socket, or an interrupt of the thread, makes that number a file that nobody can receive from, and
 * then sends {@link WakeSignal}. Before its call the thread cannot miss the one, and within it not
 * the other. A number that is beyond the limit of descriptors by now stays what it is: then the
 * signal is sent until the thread has left its call.
 */
final class BlockingReceive implements Fd.Holder {
    /** How long to wait for a thread that may have been about to call. */
    private static final long AGAIN_NANOS = 1_000_000;

    /** What a number becomes that nothing is received from any more; one for all. */
    private static volatile @Nullable Fd noSocket;

    /** That of the thread that waits, or waited last. */
    private volatile @Nullable Wait wait;

    private BlockingReceive() {}

    /** See {@link SysSocket#recvBlocking(Fd, MemorySegment)}. */
    static int recv(Fd socket, long into, long length) throws InterruptedException {
        return recv(socket, into, length, null, 0);
    }

    /** See {@link SysSocket#recvBlocking(Fd, byte[], int, int)}. */
    static int recv(Fd socket, byte[] into, int offset, int length) throws InterruptedException {
        return recv(socket, 0, length, into, offset);
    }

    /** Into the array, if there is one. */
    private static int recv(Fd socket, long into, long length, byte @Nullable [] array, int offset)
            throws InterruptedException {
        int ignored = socket.acquire();
        try {
            int n;
            Wait wait;
            do {
                wait = begin(socket);
                if (wait == null) {
                    return -Errno.EAGAIN;
                }
                try {
                    n =
                            array == null
                                    ? wait.recv(into, length)
                                    : wait.recv(array, offset, (int) length);
                } finally {
                    wait.end();
                }
            } while (wait.isToBeRepeated(n));
            return n;
        } finally {
            socket.release();
        }
    }

    /** A wait of the calling thread, to be ended; null if it has to wait by other means. */
    private static @Nullable Wait begin(Fd socket) {
        BlockingReceive receive = socket.holder(BlockingReceive.class, BlockingReceive::new);
        Wait last = receive.wait;
        return last != null && last.isOfThisThread() && last.resume()
                ? last
                : receive.first(socket);
    }

    /** The first wait of this thread, or the first after one that was woken. */
    private synchronized @Nullable Wait first(Fd socket) {
        Wait last = wait;
        Fd instead = noSocket();
        if (instead == null || !WakeSignal.isInstalled() || (last != null && !last.retire())) {
            return null;
        }
        WakeSignal.admit();
        Memory memory = last != null ? last.memory : new Memory();
        int number = last != null ? last.number : Fcntl.dupfd(socket, 3);
        if (number < 0) {
            return null;
        }
        Fd own = last != null ? last.own : Fd.adopt(number);
        Wait first = new Wait(socket, own, number, instead, memory);
        wait = first;
        return first;
    }

    private static @Nullable Fd noSocket() {
        Fd made = noSocket;
        return made != null ? made : makeNoSocket();
    }

    private static synchronized @Nullable Fd makeNoSocket() {
        if (noSocket == null) {
            try {
                noSocket = new SysEventfd().fd();
            } catch (ErrnoException e) {
                return null; // EMFILE, ENFILE
            }
        }
        return noSocket;
    }

    @Override
    public void closing() {
        Wait waiting = wait;
        if (waiting != null) {
            waiting.wake();
        }
    }

    @Override
    public void beforeClose(int number) {
        forget(wait);
    }

    @Override
    public boolean isWaitedFor() {
        return false; // that were a use
    }

    @Override
    public void letGo(int number) {
        beforeClose(number);
    }

    private synchronized void forget(@Nullable Wait over) {
        if (over != null && wait == over) {
            wait = null;
            over.retireForGood();
            over.own.close();
        }
    }

    /** Native memory of whoever waits; kept, so that none is made for a message. */
    private static final class Memory {
        final MemorySegment errno = Arena.ofAuto().allocate(Libc.ERRNO_LAYOUT);
        private MemorySegment room = MemorySegment.NULL;

        MemorySegment room(int length) {
            if (room.byteSize() < length) {
                room = Arena.ofAuto().allocate(length);
            }
            return room;
        }
    }

    /**
     * The waits of one thread for one socket, until one of them is woken. What {@link
     * Thread#interrupt} closes is an interruptible channel, so this is one; nobody else sees it.
     */
    private final class Wait extends AbstractInterruptibleChannel {
        private static final VarHandle STATE;
        private static final int AT_REST = 0;
        private static final int BEGUN = 1;
        private static final int WAITING = 2;
        private static final int WOKEN = 3;
        private static final int RETIRED = 4;

        static {
            try {
                STATE = MethodHandles.lookup().findVarHandle(Wait.class, "state", int.class);
            } catch (ReflectiveOperationException e) {
                throw new ExceptionInInitializerError(e);
            }
        }

        private final Fd socket;
        private final Fd own;
        private final int number;
        private final Fd instead;
        private final Memory memory;
        private final long thread = Thread.currentThread().threadId();
        private final int tid = Unistd.gettid();
        private volatile int state = BEGUN;
        private volatile boolean over;

        private Wait(Fd socket, Fd own, int number, Fd instead, Memory memory) {
            this.socket = socket;
            this.own = own;
            this.number = number;
            this.instead = instead;
            this.memory = memory;
        }

        private boolean isOfThisThread() {
            return thread == Thread.currentThread().threadId();
        }

        private boolean resume() {
            return STATE.compareAndSet(this, AT_REST, BEGUN);
        }

        private boolean retire() {
            return STATE.compareAndSet(this, AT_REST, RETIRED);
        }

        /** Not while it is being woken: whoever wakes it has it end, and needs no lock for that. */
        private synchronized void retireForGood() {
            state = RETIRED;
        }

        /** Into an array; before another thread may have the room. */
        int recv(byte[] into, int offset, int length) {
            MemorySegment room = memory.room(length);
            int n = recv(room.address(), length);
            if (n > 0) {
                MemorySegment.copy(room, JAVA_BYTE, 0, into, offset, n);
            }
            return n;
        }

        /** From its start on it is woken; what came before keeps it from going on. */
        int recv(long into, long length) {
            begin(); // which closes this itself for a thread that is interrupted already
            state = WAITING;
            int n = -Errno.EINTR;
            while (n == -Errno.EINTR && state == WAITING && isOpen() && socket.isOpen()) {
                n = SysSocket.recv(number, memory.errno, into, length);
            }
            return n;
        }

        /** Ends it; the thread must not be in its call. */
        void end() {
            boolean rests = STATE.compareAndSet(this, WAITING, AT_REST);
            if (!rests) {
                over = true; // first, for end() waits for an interrupt that is under way
            }
            boolean isClosed;
            try {
                end(true);
                isClosed = !isOpen();
            } catch (AsynchronousCloseException e) {
                isClosed = true; // by an interrupt, by now or soon
            }
            if (!rests || (isClosed && retire())) {
                forget(this);
            }
        }

        /**
         * Whether it was woken for nothing, and is to be begun once more: by an interrupt whose
         * status somebody has taken.
         *
         * @param n what the call has
         * @throws IllegalStateException if the socket is closed and there is nothing
         * @throws InterruptedException if the thread is interrupted and there is nothing; its
         *     status is cleared
         */
        boolean isToBeRepeated(int n) throws InterruptedException {
            if (n <= 0 && !socket.isOpen()) {
                throw new IllegalStateException(socket + " was closed while waited for");
            }
            if (n != -Errno.EINTR && n != -Errno.ENOTSOCK) {
                return false;
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            return true;
        }

        /** Does nothing to one that is over: its number may be another's by now. */
        private synchronized void wake() {
            if (!STATE.compareAndSet(this, WAITING, WOKEN)) {
                return;
            }
            boolean told = Unistd.replace(number, instead) == number;
            WakeSignal.send(tid);
            while (!told && !over) { // only the signal is left, which may come before the call
                LockSupport.parkNanos(AGAIN_NANOS);
                WakeSignal.send(tid);
            }
        }

        /** Its thread is interrupted; this may come late. */
        @Override
        protected void implCloseChannel() {
            wake();
        }
    }
}
