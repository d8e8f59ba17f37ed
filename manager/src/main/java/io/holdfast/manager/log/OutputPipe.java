package io.holdfast.manager.log;

import io.holdfast.core.Errno;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.loop.ManagerLimits;
import java.util.List;

/** The pipe that the processes of one unit have as standard output and error, read on the loop. */
public final class OutputPipe implements AutoCloseable {
    private final Fd readEnd;
    private final Fd writeEnd;
    private final EventLoop.Watch watch;
    private final UnitLog log;
    private final byte[] chunk;

    /**
     * @param chunk a buffer that all pipes of a loop may share
     */
    public OutputPipe(EventLoop loop, UnitLog log, byte[] chunk) {
        this(loop, log, chunk, List.of(Unistd.pipe2(0)));
    }

    /**
     * Adopts the pipe of a manager that was killed, with the output that was written since. What
     * that manager had read is lost.
     *
     * @param ends as {@link #ends} returned them; owned from now on
     */
    public OutputPipe(EventLoop loop, UnitLog log, byte[] chunk, List<Fd> ends) {
        this.log = log;
        this.chunk = chunk;
        readEnd = ends.get(0);
        writeEnd = ends.get(1);
        int ignored = Fcntl.setfl(readEnd, Fcntl.O_NONBLOCK);
        watch = loop.watch(readEnd, Readiness.IN, _ -> read());
    }

    /** {@return the read end and the write end, lent} */
    public List<Fd> ends() {
        return List.of(readEnd, writeEnd);
    }

    /** {@return the end that the processes get} */
    public Fd writeEnd() {
        return writeEnd;
    }

    private void read() {
        for (int left = ManagerLimits.LOG_BATCH.intValue(); left > 0; ) {
            int n = Unistd.read(readEnd, chunk, 0, Math.min(left, chunk.length));
            if (n <= 0) {
                if (n != -Errno.EAGAIN) {
                    watch.close();
                }
                return;
            }
            log.write(chunk, 0, n);
            left -= n;
        }
    }

    /** Reads the remaining output, and closes both ends. */
    @Override
    public void close() {
        read();
        log.end();
        watch.close();
        readEnd.close();
        writeEnd.close();
    }
}
