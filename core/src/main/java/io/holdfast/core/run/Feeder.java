package io.holdfast.core.run;

import io.holdfast.core.Fd;
import io.holdfast.core.FdOutputStream;
import io.holdfast.core.sys.Unistd;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.function.Consumer;

/** Writes the input of a run to the pipe that its first program reads. */
final class Feeder {
    private static final int CHUNK = 32 << 10;

    private Feeder() {}

    /**
     * Begins to write, and closes the pipe at the end. If the program stops reading, or other code
     * closes the pipe, writing ends without a failure.
     *
     * @param pipe the pipe, non-blocking; owned from now on
     * @param failed called if the stream throws
     * @return the stream that owns the pipe: it may exchange the descriptor, so only the stream
     *     closes the pipe
     */
    static FdOutputStream start(Fd pipe, Input input, Consumer<Throwable> failed) {
        FdOutputStream out = new FdOutputStream(pipe);
        switch (input) {
            case Input.Bytes(byte[] bytes) -> {
                int written = writeNow(pipe, bytes);
                if (written == bytes.length) {
                    out.closeNow();
                } else {
                    InputStream unwritten =
                            new ByteArrayInputStream(bytes, written, bytes.length - written);
                    start(out, unwritten, failed);
                }
            }
            case Input.Stream(InputStream stream) -> start(out, stream, failed);
            case Input.Nothing _, Input.Inherited _, Input.File _ -> out.closeNow();
        }
        return out;
    }

    /** Writes as much as the pipe takes without blocking: a short input needs no thread. */
    private static int writeNow(Fd pipe, byte[] bytes) {
        int written = 0;
        int n = 1;
        while (n > 0 && written < bytes.length) {
            n = Unistd.write(pipe, bytes, written, bytes.length - written);
            written += Math.max(n, 0);
        }
        return written;
    }

    private static void start(FdOutputStream out, InputStream from, Consumer<Throwable> failed) {
        try {
            Thread _ =
                    Thread.ofVirtual()
                            .name("holdfast-run-input")
                            .start(() -> run(out, from, failed));
        } catch (OutOfMemoryError e) { // no thread for it
            out.closeNow();
            throw e;
        }
    }

    private static void run(FdOutputStream out, InputStream from, Consumer<Throwable> failed) {
        try {
            copy(out, from);
        } catch (Throwable e) { // from the caller's stream
            failed.accept(e);
        } finally {
            out.closeNow();
        }
    }

    private static void copy(FdOutputStream out, InputStream from) throws IOException {
        byte[] chunk = new byte[CHUNK];
        for (int n = from.read(chunk); n >= 0; n = from.read(chunk)) {
            try {
                out.write(chunk, 0, n);
                out.flush();
            } catch (IOException e) {
                return; // the program reads no more, or the run is over
            }
        }
    }
}
