package io.holdfast.manager;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * What one manager has for itself, by the lock of a file (fcntl(2), F_SETLK): the kernel takes it
 * back when the process ends, however it ends. The file must be one that nobody else in this
 * process opens, for any close of it gives the lock away.
 */
final class Claim implements AutoCloseable {
    private final FileChannel file;

    private Claim(FileChannel file) {
        this.file = file;
    }

    /**
     * @param file made if it is missing
     * @param subject what is claimed
     * @param advice what to do if another manager has it
     * @throws ErrnoException EBUSY if another has it, of this JVM or any other process; EACCES if
     *     it is not ours to open
     * @throws UncheckedIOException if the file cannot be opened
     */
    static Claim of(Path file, String subject, String advice) {
        try {
            FileChannel channel =
                    FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (lock(channel)) {
                return new Claim(channel);
            }
            channel.close();
        } catch (AccessDeniedException e) {
            throw new ErrnoException("open", file.toString(), Errno.EACCES, "it is another user's");
        } catch (IOException e) {
            throw new UncheckedIOException("cannot lock " + file, e);
        }
        throw new ErrnoException("lock", subject, Errno.EBUSY, advice);
    }

    private static boolean lock(FileChannel channel) throws IOException {
        try {
            FileLock lock = channel.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e); // nothing was written that could fail
        }
    }
}
