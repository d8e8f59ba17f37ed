package io.holdfast.receiver;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.socket.ListenFds;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixListener;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.socket.SysSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The descriptors that the service manager has passed: sockets of socket units, which are told
 * apart by their type and path as journald does, and what an earlier receiver has had kept.
 */
final class PassedSockets {
    /** The name of the windows in the manager's descriptor store. */
    static final String WINDOWS = "windows";

    private static final String STREAM = "stream-"; // and the number of its window

    @Nullable UnixListener stdout;
    @Nullable UnixSocket socket;
    @Nullable UnixSocket devLog;
    @Nullable Fd windows;
    final List<Kept> streams = new ArrayList<>();

    /** A stream of an earlier receiver. */
    record Kept(String name, UnixSocket socket) {}

    private PassedSockets() {}

    /** {@return the name of a stream in the manager's descriptor store} */
    static String nameOf(StreamWindow window) {
        return STREAM + Integer.toString(window.number(), Character.MAX_RADIX);
    }

    /**
     * Sorts descriptors.
     *
     * @param passed owned by the result
     * @param warnings receives a line about each descriptor that is not used, and closed
     */
    static PassedSockets of(List<ListenFds.Named> passed, Consumer<String> warnings) {
        PassedSockets sockets = new PassedSockets();
        for (ListenFds.Named each : passed) {
            try {
                if (!sockets.take(each)) {
                    warnings.accept("the descriptor " + each.name() + " is of no use");
                    each.fd().close();
                }
            } catch (ErrnoException e) {
                warnings.accept(
                        "the descriptor " + each.name() + " is not used: " + e.getMessage());
                each.fd().close();
            }
        }
        return sockets;
    }

    private boolean take(ListenFds.Named each) {
        if (each.name().equals(WINDOWS)) {
            windows = each.fd();
            return true;
        }
        if (each.name().startsWith(STREAM)) {
            streams.add(new Kept(each.name(), UnixSocket.adopt(each.fd())));
            return true;
        }
        if (SysSocket.option(each.fd(), SysSocket.SO_ACCEPTCONN) == 1) {
            boolean isFirst = stdout == null;
            if (isFirst) {
                stdout = UnixListener.adopt(each.fd());
            }
            return isFirst;
        }
        return takeDatagrams(each);
    }

    private boolean takeDatagrams(ListenFds.Named each) {
        UnixSocket adopted = UnixSocket.adopt(each.fd());
        boolean isDevLog =
                adopted.localAddress() instanceof UnixAddress.PathName(String path)
                        && (path.endsWith("/dev-log") || path.equals("/dev/log"));
        if (isDevLog && devLog == null) {
            devLog = adopted;
        } else if (!isDevLog && socket == null) {
            socket = adopted;
        } else {
            adopted.close();
            return false;
        }
        return true;
    }
}
