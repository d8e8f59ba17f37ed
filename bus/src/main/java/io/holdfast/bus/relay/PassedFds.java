package io.holdfast.bus.relay;

import io.holdfast.core.Fd;
import io.holdfast.core.wait.FdCloser;
import java.util.List;
import java.util.function.Consumer;

/**
 * The descriptors of one message on their way through the bus. The bus owns them until the last
 * receiver has got them or is gone: each queue that holds the message keeps this object.
 */
public final class PassedFds {
    private final List<Fd> fds;
    private final Consumer<Fd> closer;
    private int keepers = 1;

    /**
     * Takes ownership of the descriptors; the caller is the first to keep them.
     *
     * @param closer closes each descriptor: {@link FdCloser} for those that clients sent
     */
    public PassedFds(List<Fd> fds, Consumer<Fd> closer) {
        this.fds = List.copyOf(fds);
        this.closer = closer;
    }

    List<Fd> fds() {
        return fds;
    }

    public int size() {
        return fds.size();
    }

    public void keep() {
        keepers++;
    }

    public void drop() {
        if (--keepers == 0) {
            fds.forEach(closer);
        }
    }
}
