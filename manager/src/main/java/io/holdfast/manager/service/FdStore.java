package io.holdfast.manager.service;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.sys.process.SysKcmp;
import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.log.Complaints;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.UnitName;
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
    private static final int BEFORE = 1; // of kcmp(2)

    private static final String KEY = "stored ";

    private final EventLoop loop;
    private final Survival survival;
    private final String unit;
    private long number; // of the next
    private final Consumer<Fd> closer;
    private final Throttle complaints;
    private final List<Stored> stored = new ArrayList<>(); // as they came
    private final List<Stored> ordered = new ArrayList<>(); // as the kernel orders open files

    private static final class Stored {
        final String name;
        final Fd fd;
        final String key;
        EventLoop.@Nullable Watch watch;

        Stored(String name, Fd fd, String key) {
            this.name = name;
            this.fd = fd;
            this.key = key;
        }
    }

    private void close(Stored one) {
        if (one.watch != null) {
            one.watch.cancel();
        }
        survival.dropAndClose(one.key);
        closer.accept(one.fd);
    }

    /**
     * @param survival keeps them over a crash of the manager
     * @param closer closes what the service has sent, which may take as long as it likes
     * @param complaints gets lines on what is not kept
     */
    FdStore(
            EventLoop loop,
            Survival survival,
            UnitName unit,
            Consumer<Fd> closer,
            Consumer<String> complaints) {
        this.loop = loop;
        this.survival = survival;
        this.unit = unit.text();
        this.closer = closer;
        this.complaints = Complaints.on(loop, complaints);
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
        int place = placeOf(fd);
        if (place < 0) {
            return; // it is here
        }
        if (stored.size() >= most) {
            complaints.log(
                    "full",
                    "the descriptor %s is not kept: there are %d, as many as FileDescriptorStoreMax= allows"
                            .formatted(name, stored.size()));
            return;
        }
        Stored one =
                new Stored(
                        name,
                        fd.move(),
                        KEY + unit + " " + number++ + (watched ? " w " : " - ") + name);
        survival.keep(one.key, List.of(one.fd));
        take(one, place, watched);
    }

    private void take(Stored one, int place, boolean watched) {
        stored.add(one);
        ordered.add(place, one);
        if (watched) {
            watch(one);
        }
    }

    /** Restores those that an earlier manager has kept. */
    void restore() {
        for (String key : survival.keys(KEY + unit + " ")) {
            String[] parts = key.substring(KEY.length() + unit.length() + 1).split(" ", 3);
            number = Math.max(number, Long.parseLong(parts[0]) + 1);
            for (Fd fd : survival.take(key)) {
                int place = placeOf(fd);
                if (place < 0) {
                    fd.close();
                } else {
                    take(new Stored(parts[2], fd, key), place, parts[1].equals("w"));
                }
            }
        }
    }

    /**
     * Where an open file comes among the others in the order that kcmp(2) tells, or -1 if it is
     * there already: few comparisons however many there are. Where the kernel does not tell, it
     * comes last and is never the same.
     */
    private int placeOf(Fd fd) {
        int low = 0;
        int high = ordered.size();
        while (low < high) {
            int middle = (low + high) / 2;
            int order = SysKcmp.compareFiles(fd, ordered.get(middle).fd);
            if (order == 0) {
                return -1;
            } else if (order == BEFORE) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    private void watch(Stored one) {
        try {
            one.watch =
                    loop.watch(
                            one.fd,
                            0,
                            _ -> {
                                stored.remove(one);
                                ordered.remove(one);
                                close(one);
                            });
        } catch (ErrnoException e) {
            if (e.errno() != Errno.EPERM) { // a regular file has no other end
                complaints.log(
                        "not watched",
                        "the descriptor " + one.name + " is not watched: " + e.getMessage());
            }
        }
    }

    /** Lets go of all of that name. */
    void remove(String name) {
        stored.removeIf(one -> {
            boolean meant = one.name.equals(name);
            if (meant) {
                ordered.remove(one);
                close(one);
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
            duplicates.forEach(passed -> closer.accept(passed.fd()));
            throw e;
        }
    }

    /** Lets go of all of them. */
    @Override
    public void close() {
        stored.forEach(this::close);
        stored.clear();
        ordered.clear();
    }
}
