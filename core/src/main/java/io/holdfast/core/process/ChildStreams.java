package io.holdfast.core.process;

import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.KernelPath;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.PosixSpawn;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The standard streams of one child: its ends, and our ends until they are taken. Both are closed
 * with this.
 */
final class ChildStreams implements AutoCloseable {
    private static final int FILE_MODE = 0666; // masked by the umask
    private static final int STREAMS = PosixSpawn.STREAMS;

    private final @Nullable Fd[] theirs = new @Nullable Fd[STREAMS];
    private final @Nullable Fd[] ours = new @Nullable Fd[STREAMS];
    private final List<Fd> toClose = new ArrayList<>();

    /** Opens files and pipes; waits for the other end of a FIFO. */
    void open(Stdio[] streams) {
        for (int i = 0; i < STREAMS; i++) {
            theirs[i] = open(streams[i], i);
        }
    }

    /** Without a switch over patterns, whose first use costs several milliseconds. */
    private @Nullable Fd open(Stdio stream, int i) {
        if (stream instanceof StdioTarget.Inherit) {
            return PosixSpawn.STANDARD.get(i);
        } else if (stream instanceof StdioTarget.Pipe) {
            return pipe(i);
        } else if (stream instanceof StdioTarget.Descriptor(Fd fd)) {
            return fd;
        } else if (stream instanceof StdioTarget.Merged) {
            return merged();
        } else if (stream instanceof StdioTarget.File(Path path, StdioTarget.Mode mode)) {
            return opened(KernelPath.text(path), flags(mode) | Fcntl.O_NOCTTY);
        }
        return opened("/dev/null", i == 0 ? Fcntl.O_RDONLY : Fcntl.O_WRONLY);
    }

    private static int flags(StdioTarget.Mode mode) {
        return switch (mode) {
            case READ -> Fcntl.O_RDONLY;
            case WRITE -> Fcntl.O_WRONLY | Fcntl.O_CREAT | Fcntl.O_TRUNC;
            case APPEND -> Fcntl.O_WRONLY | Fcntl.O_CREAT | Fcntl.O_APPEND;
        };
    }

    private @Nullable Fd merged() {
        Fd output = theirs[1];
        boolean isNone = // this process was started without it
                output != null && PosixSpawn.STANDARD.contains(output) && Fcntl.getfl(output) < 0;
        return isNone ? null : output;
    }

    private Fd opened(String path, int flags) {
        Fd fd =
                Fifo.isWaitedFor(path, flags)
                        ? Fifo.open(path, flags, FILE_MODE)
                        : Fcntl.open(null, path, flags, FILE_MODE);
        toClose.add(fd);
        return fd;
    }

    private Fd pipe(int stream) {
        Fd[] ends = Unistd.pipe2(0);
        int their = stream == 0 ? 0 : 1;
        ours[stream] = ends[1 - their];
        toClose.add(ends[their]);
        return ends[their];
    }

    /** Returns the descriptors of the child: the streams, and those of the spawn. */
    SortedMap<Integer, Fd> all(Spawn spawn) {
        SortedMap<Integer, Fd> all = new TreeMap<>(spawn.descriptors);
        for (int i = 0; i < STREAMS; i++) {
            Fd fd = theirs[i];
            if (fd != null) {
                all.put(i, fd);
            }
        }
        return all;
    }

    /**
     * Returns our end of a pipe, owned by the caller from now on; null if the stream is not a pipe.
     */
    @Nullable Fd takeOurs(int stream) {
        Fd fd = ours[stream];
        ours[stream] = null;
        return fd;
    }

    @Override
    public void close() {
        for (Fd fd : toClose) {
            fd.close();
        }
        for (Fd fd : ours) {
            if (fd != null) {
                fd.close();
            }
        }
    }
}
