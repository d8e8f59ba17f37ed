package io.holdfast.manager;

import io.holdfast.core.linux.Errno;
import io.holdfast.core.linux.ErrnoException;
import io.holdfast.core.linux.EventLoop;
import io.holdfast.core.linux.Fd;
import io.holdfast.core.linux.SysKcmp;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The descriptors that a service keeps with its manager, to get them back when it is started again
 * ({@code FDSTORE=1}). One whose other end has gone is let go of, unless that is not wanted. On the
 * loop.
 *
 * @see <a href="https://systemd.io/FILE_DESCRIPTOR_STORE/">The File Descriptor Store</a>
 */
final class FdStore implements AutoCloseable {
    private final EventLoop loop;
    private final ThrottledLine full;
    private final ThrottledLine unwatched;
    private final List<Stored> stored = new ArrayList<>();

    private static final class Stored {
        final String name;
        final Fd fd;
        EventLoop.@Nullable Watch watch;

        Stored(String name, Fd fd) {
            this.name = name;
            this.fd = fd;
        }

        void close() {
            ServiceRun.closeQuietly(watch);
            fd.close();
        }
    }

    /**
     * @param complaints gets lines on what is not kept
     */
    FdStore(EventLoop loop, Consumer<String> complaints) {
        this.loop = loop;
        this.full = ThrottledLine.on(loop, complaints);
        this.unwatched = ThrottledLine.on(loop, complaints);
    }

    int size() {
        return stored.size();
    }

    /**
     * Keeps a descriptor, unless the same open file is here already.
     *
     * @param fd moved here if it is kept, else the giver's
     * @param watched whether it goes when its other end has gone
     * @param most how many there may be
     */
    void add(String name, Fd fd, boolean watched, int most) {
        for (Stored one : stored) {
            if (SysKcmp.isSameFile(one.fd, fd)) {
                return;
            }
        }
        if (stored.size() >= most) {
            full.say(
                    "the descriptor %s is not kept: there are %d, as many as FileDescriptorStoreMax= allows"
                            .formatted(name, stored.size()));
            return;
        }
        Stored one = new Stored(name, fd.move());
        stored.add(one);
        if (watched) {
            watch(one);
        }
    }

    private void watch(Stored one) {
        try {
            one.watch =
                    loop.watch(
                            one.fd,
                            0,
                            _ -> {
                                stored.remove(one);
                                one.close();
                            });
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EPERM) { // a regular file has no other end
                unwatched.say("the descriptor " + one.name + " is not watched: " + e.getMessage());
            }
        }
    }

    /** Lets go of all of that name. */
    void remove(String name) {
        stored.removeIf(one -> {
            boolean meant = one.name.equals(name);
            if (meant) {
                one.close();
            }
            return meant;
        });
    }

    /**
     * Duplicates of all of them, in the order in which they came.
     *
     * @throws ErrnoException EMFILE
     */
    PassedDescriptors passed() {
        List<PassedDescriptors.Passed> duplicates = new ArrayList<>();
        try {
            for (Stored one : stored) {
                duplicates.add(new PassedDescriptors.Passed(one.fd.duplicate(), one.name));
            }
            return new PassedDescriptors(duplicates, Map.of());
        } catch (ErrnoException e) {
            duplicates.forEach(passed -> passed.fd().close());
            throw e;
        }
    }

    /** Lets go of all of them. */
    @Override
    public void close() {
        stored.forEach(Stored::close);
        stored.clear();
    }
}
