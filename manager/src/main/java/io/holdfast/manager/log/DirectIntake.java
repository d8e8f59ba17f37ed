package io.holdfast.manager.log;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.Unistd;

/** Reads a pipe directly; the part that a killed manager had read is lost. */
final class DirectIntake implements Intake {
    private final UnitLog log;
    private final byte[] chunk;

    /**
     * @param chunk a buffer that logs written by the same thread may share
     */
    DirectIntake(UnitLog log, byte[] chunk) {
        this.log = log;
        this.chunk = chunk;
    }

    @Override
    public int take(Fd pipe, int most) {
        int n = Unistd.read(pipe, chunk, 0, Math.min(most, chunk.length));
        if (n > 0) {
            log.write(chunk, 0, n);
        }
        return n;
    }

    @Override
    public void end() {
        log.end();
    }

    @Override
    public void forget() {
        // no file to drop
    }

    @Override
    public void close() {
        // nothing to close
    }
}
