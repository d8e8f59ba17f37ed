package io.holdfast.receiver;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.limit.FairShare;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.SysMman;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.process.SysMemfd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The memory into which streams are received: one file in memory, with a {@link StreamWindow} for
 * each stream. The service manager keeps the file while the receiver is restarted, as it keeps the
 * streams' sockets, so the next receiver finds what the last one had received and not yet stored.
 *
 * <p>A window takes memory only as far as it is used: two or three pages for a stream whose lines
 * are stored as they come. A stream that is ahead of the disk needs its whole window, of which
 * there are {@link ReceiverLimits#WINDOWS} at a time, shared fairly between units or users. Used on
 * the loop.
 */
final class StreamWindows implements AutoCloseable {
    private final Fd file;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final BitSet used = new BitSet();
    private final Map<Long, Integer> kept = new HashMap<>(); // windows of the last receiver
    private final List<StreamWindow> whole = new ArrayList<>(); // that may use all their memory
    private final FairShare<String> shares =
            FairShare.<String>of(ReceiverLimits.WINDOWS).withLeast(1);

    private Runnable whenGranted = () -> {};

    private StreamWindows(Fd file, int count) {
        this.file = file;
        long bytes = Math.max(SysStat.stat(file).size(), (long) count * StreamWindow.BYTES);
        SysMemfd.resize(file, bytes);
        memory = SysMman.map(file, bytes, arena);
    }

    /**
     * Makes windows.
     *
     * @param count streams, 1 or more
     * @throws ErrnoException EMFILE, ENOMEM
     */
    static StreamWindows make(int count) {
        Fd file = SysMemfd.make("holdfast-streams");
        try {
            return new StreamWindows(file, count);
        } catch (ErrnoException e) {
            file.close();
            throw e;
        }
    }

    /**
     * Takes over the windows of an earlier receiver, which was killed.
     *
     * @param file owned by the result, if this returns
     * @throws ErrnoException if the file is none in memory
     */
    static StreamWindows takeOver(Fd file, int count) {
        StreamWindows windows = new StreamWindows(file.move(), count);
        for (int i = 0; i < windows.count(); i++) {
            long cookie = windows.memory(i).get(JAVA_LONG, StreamWindow.COOKIE);
            if (cookie != 0) {
                windows.kept.put(cookie, i);
            }
        }
        return windows;
    }

    /** {@return the file, lent: to be kept by the service manager} */
    Fd file() {
        return file;
    }

    private int count() {
        return (int) (memory.byteSize() / StreamWindow.BYTES);
    }

    private MemorySegment memory(int number) {
        return memory.asSlice((long) number * StreamWindow.BYTES, StreamWindow.BYTES);
    }

    /**
     * Makes the window of a new stream, of which nothing was received.
     *
     * @return null if all windows are used
     * @throws ErrnoException if the kernel does not count what is received
     */
    @Nullable StreamWindow open(UnixSocket socket) {
        int number = used.nextClearBit(0);
        if (number >= count()) {
            return null;
        }
        StreamWindow window = new StreamWindow(this, number, memory(number), socket);
        window.begin();
        used.set(number);
        return window;
    }

    /**
     * Finds the window of a stream that an earlier receiver opened. To be called before {@link
     * #open}.
     *
     * @return null if there is none, or its content is damaged
     */
    @Nullable StreamWindow find(UnixSocket socket) {
        Integer number = kept.remove(StreamWindow.cookie(socket));
        if (number == null) {
            return null;
        }
        StreamWindow window = new StreamWindow(this, number, memory(number), socket);
        if (!window.recover()) {
            return null;
        }
        used.set(number);
        return window;
    }

    /** Returns whether a window may use all of its memory from now on. */
    boolean grant(StreamWindow window, String owner) {
        boolean isFair = shares.tryTake(owner, StreamWindow.DATA);
        if (isFair) {
            add(window);
        }
        return isFair;
    }

    /** Notes that a window uses all of its memory. */
    void take(StreamWindow window, String owner) {
        shares.take(owner, StreamWindow.DATA);
        add(window);
    }

    private void add(StreamWindow window) {
        whole.add(window);
        if (whole.size() == 1) {
            whenGranted.run();
        }
    }

    /** Sets what is done when a window is granted all of its memory, and no other one was. */
    void whenGranted(Runnable task) {
        whenGranted = task;
    }

    /** Takes back the memory of windows that need little of it. */
    void shrink() {
        for (StreamWindow window : List.copyOf(whole)) {
            window.shrink();
        }
    }

    /** {@return whether a window uses all its memory} */
    boolean areSomeWhole() {
        return !whole.isEmpty();
    }

    void revoke(StreamWindow window, String owner) {
        if (whole.remove(window)) {
            shares.release(owner, StreamWindow.DATA);
        }
    }

    void release(int number) {
        int _ = SysMman.remove(memory(number)); // also its cookie
        used.clear(number);
    }

    @Override
    public void close() {
        file.close();
        arena.close();
    }
}
