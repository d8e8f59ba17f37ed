package io.holdfast.manager.credential;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.SysRandom;
import io.holdfast.manager.loop.ManagerLimits;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Reads a credential from the service that listens on a socket: what it sends until it closes the
 * connection. Our end has the abstract name {@code RANDOM/unit/UNIT/CREDENTIAL}, by which the
 * service knows what is asked for. Blocking.
 */
final class CredentialSocket {
    private static final int CHUNK = 64 << 10;
    private static final int MAX_ADDRESS = 107; // bytes of an abstract name

    private CredentialSocket() {}

    /**
     * @param held the socket's file, lent
     * @param shown its path, for messages
     * @param most the maximum bytes
     * @throws ErrnoException ECONNREFUSED, EFBIG; ETIMEDOUT if the service is slower than the limit
     */
    static byte[] read(
            Fd held, String shown, String unit, String credential, int most, Duration limit)
            throws InterruptedException {
        long begin = System.nanoTime();
        int number = held.acquire();
        try (UnixSocket socket =
                UnixSocket.connect(
                        address(unit, credential),
                        new UnixAddress.PathName("/proc/self/fd/" + number),
                        SocketType.STREAM,
                        limit)) {
            ByteArrayOutputStream content = new ByteArrayOutputStream();
            ByteBuffer chunk = ByteBuffer.allocate(CHUNK);
            for (; ; ) {
                int n = socket.tryReceive(chunk.clear());
                if (n == UnixSocket.END) {
                    return content.toByteArray();
                }
                if (n > 0) {
                    content.write(chunk.array(), 0, n);
                    if (content.size() > most) {
                        throw new ErrnoException(
                                "recv",
                                shown,
                                Errno.EFBIG,
                                "it sends more than " + most + " bytes");
                    }
                    continue;
                }
                Duration left = limit.minusNanos(System.nanoTime() - begin);
                if (left.isNegative()
                        || Readiness.await(socket.fd(), Readiness.IN, left) == Readiness.NONE) {
                    throw new ErrnoException(
                            "recv",
                            shown,
                            Errno.ETIMEDOUT,
                            "the service does not answer, or does not close the connection; "
                                    + ManagerLimits.CREDENTIAL_TIMEOUT.remedy());
                }
            }
        } catch (ErrnoException e) {
            throw e.call().equals("connect") ? new ErrnoException("connect", shown, e.errno()) : e;
        } finally {
            held.release();
        }
    }

    private static @Nullable UnixAddress address(String unit, String credential) {
        String name = "%016x/unit/%s/%s".formatted(SysRandom.bits(), unit, credential);
        boolean fits = name.getBytes(StandardCharsets.UTF_8).length <= MAX_ADDRESS;
        return fits ? new UnixAddress.AbstractName(name) : null;
    }
}
