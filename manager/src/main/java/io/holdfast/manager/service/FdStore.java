package io.holdfast.manager.service;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.sys.process.SysKcmp;
import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.UnitName;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The descriptor store of a service: descriptors that the service hands to the manager, to get them
 * back when it is started again ({@code FDSTORE=1}). A descriptor whose other end was closed is
 * dropped, unless the service has turned that off. Used on the event loop.
 *
 * @see <a href="https://systemd.io/FILE_DESCRIPTOR_STORE/">The File Descriptor Store</a>
 */
final class FdStore implements AutoCloseable {
    private static final int BEFORE = 1; // result of kcmp(2)

    private static final String KEY = "stored ";

    private final EventLoop loop;
    private final Survival survival;
    private final String unit;
    private long number; // the next one's
    private final Consumer<Fd> closer;
    private final Supplier<Throttle> complaints;
    private final List<Stored> stored = new ArrayList<>(); // in order of arrival
    private final List<Stored> ordered = new ArrayList<>(); // in the kernel's order of open files

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
        survival.drop(one.key);
        closer.accept(one.fd);
    }

    /**
     * @param survival keeps the descriptors across a crash of the manager
     * @param closer closes descriptors that the service sent, which may block for long
     * @param complaints of lines about descriptors that are not kept
     */
    FdStore(
            EventLoop loop,
            Survival survival,
            UnitName unit,
            Consumer<Fd> closer,
            Supplier<Throttle> complaints) {
        this.loop = loop;
        this.survival = survival;
        this.unit = unit.text();
        this.closer = closer;
        this.complaints = complaints;
    }

    int size() {
        return stored.size();
    }

    /**
     * Stores a descriptor, unless the same open file is stored already.
     *
     * @param fd moved into the store if it is kept; otherwise the caller closes it
     * @param watched whether it is dropped when its other end was closed
     * @param most the limit of stored descriptors
     */
    void add(String name, Fd fd, boolean watched, int most) {
        int place = placeOf(fd);
        if (place < 0) {
            return; // it is stored already
        }
        if (stored.size() >= most) {
            complaints
                    .get()
                    .log(
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
        survival.keepClosable(one.key, List.of(one.fd));
        take(one, place, watched);
    }

    private void take(Stored one, int place, boolean watched) {
        stored.add(one);
        ordered.add(place, one);
        if (watched) {
            watch(one);
        }
    }

    /** Restores the descriptors that an earlier manager stored. */
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
     * Returns the place of an open file in the order of kcmp(2), or -1 if it is stored already: a
     * binary search, with few comparisons. If the kernel cannot compare, the file comes last and
     * equals none.
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
                complaints
                        .get()
                        .log(
                                "not watched",
                                "the descriptor "
                                        + one.name
                                        + " is not watched: "
                                        + e.getMessage());
            }
        }
    }

    /** Drops all descriptors of that name. */
    void remove(String name) {
        stored.removeIf(one -> {
            boolean matches = one.name.equals(name);
            if (matches) {
                ordered.remove(one);
                close(one);
            }
            return matches;
        });
    }

    /**
     * Returns duplicates of all descriptors, in order of arrival.
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

    /** Drops all descriptors. */
    @Override
    public void close() {
        stored.forEach(this::close);
        stored.clear();
        ordered.clear();
    }
}
