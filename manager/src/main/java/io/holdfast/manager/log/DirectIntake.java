package io.holdfast.manager.log;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.Unistd;

/** Reads a pipe directly; the part that a killed manager had read is lost. */
final class DirectIntake implements Intake {
    private static final int CHUNK = 8192;

    private final UnitLog log;
    private byte[] chunk = {}; // most logs have no pipe

    DirectIntake(UnitLog log) {
        this.log = log;
    }

    @Override
    public int take(Fd pipe, int most) {
        if (chunk.length == 0) {
            chunk = new byte[CHUNK];
        }
        int n = Unistd.read(pipe, chunk, 0, Math.min(most, CHUNK));
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
