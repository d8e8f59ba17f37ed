package io.holdfast.bus;

import io.holdfast.core.linux.Fd;
import java.util.List;

/**
 * The descriptors of one message on their way through the bus. They are the bus's own until the
 * last receiver has got them or is gone: each queue that keeps the message keeps this.
 */
final class PassedFds {
    private final List<Fd> fds;
    private int keepers = 1;

    /** Takes them over; kept by the caller. */
    PassedFds(List<Fd> fds) {
        this.fds = List.copyOf(fds);
    }

    List<Fd> fds() {
        return fds;
    }

    int size() {
        return fds.size();
    }

    void keep() {
        keepers++;
    }

    void drop() {
        if (--keepers == 0) {
            fds.forEach(Fd::close);
        }
    }
}
