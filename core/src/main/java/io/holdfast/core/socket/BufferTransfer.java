package io.holdfast.core.socket;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.socket.MsgHdr;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.core.sys.socket.Ucred;
import io.holdfast.core.sys.socket.UnixName;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ReadOnlyBufferException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The calls that send from and receive into buffers of any kind: direct ones, those with an array,
 * and, to send, read-only ones. None waits; each moves the position of its buffer by the bytes that
 * it has transferred.
 */
final class BufferTransfer {
    private static final int COPIED_AT_ONCE = 64 << 10; // bytes of a stream, from or to an array

    private final Fd fd;
    private final SocketType type;

    BufferTransfer(Fd fd, SocketType type) {
        this.fd = fd;
        this.type = type;
    }

    /** Sends what one call takes. Returns how many bytes, or {@link UnixSocket#WOULD_BLOCK}. */
    int send(ByteBuffer data) {
        int n;
        if (data.isDirect()) {
            n = SysSocket.send(fd, MemorySegment.ofBuffer(data));
        } else {
            ByteBuffer array = withArray(data);
            n =
                    SysSocket.send(
                            fd,
                            array.array(),
                            array.arrayOffset() + array.position(),
                            atOnce(array));
        }
        return sent(data, n, "send");
    }

    /**
     * Sends one message.
     *
     * @param to the receiver; null for the connected peer
     * @param as the credentials to state; null for those of this process
     * @param call names the call in errors
     */
    int send(
            ByteBuffer data,
            @Nullable UnixName to,
            List<Fd> descriptors,
            @Nullable Ucred as,
            String call) {
        if (descriptors.size() > MsgHdr.MAX_DESCRIPTORS) {
            throw new IllegalArgumentException(
                    descriptors.size()
                            + " descriptors in a message; at most "
                            + MsgHdr.MAX_DESCRIPTORS);
        }
        int n;
        if (data.isDirect()) {
            n = SysSocket.sendmsg(fd, MemorySegment.ofBuffer(data), to, descriptors, as);
        } else {
            ByteBuffer array = withArray(data);
            n =
                    SysSocket.sendmsg(
                            fd,
                            array.array(),
                            array.arrayOffset() + array.position(),
                            atOnce(array),
                            to,
                            descriptors,
                            as);
        }
        return sent(data, n, call);
    }

    /** Copies what one call sends of a buffer without an accessible array: a read-only one. */
    private ByteBuffer withArray(ByteBuffer data) {
        if (data.hasArray()) {
            return data;
        }
        int length = atOnce(data);
        return ByteBuffer.allocate(length).put(0, data, data.position(), length);
    }

    /**
     * Returns how many bytes one call may copy: a stream may be split anywhere, a message nowhere.
     */
    private int atOnce(ByteBuffer buffer) {
        int all = buffer.remaining();
        return type == SocketType.STREAM ? Math.min(all, COPIED_AT_ONCE) : all;
    }

    private int sent(ByteBuffer data, int n, String call) {
        if (n == -Errno.EAGAIN) {
            return UnixSocket.WOULD_BLOCK;
        }
        ErrnoException.check(n, call, fd);
        data.position(data.position() + n);
        return n;
    }

    /** Receives bytes; descriptors that arrive are closed. */
    int receive(ByteBuffer into, int flags, String call) {
        requireWritable(into);
        if (!into.hasRemaining()) {
            return 0;
        }
        int n =
                into.isDirect()
                        ? SysSocket.recv(fd, MemorySegment.ofBuffer(into), flags)
                        : SysSocket.recv(
                                fd,
                                into.array(),
                                into.arrayOffset() + into.position(),
                                atOnce(into),
                                flags);
        return received(into, n, call);
    }

    /** Receives bytes with their ancillary data. */
    int receive(ByteBuffer into, Ancillary ancillary, int flags, String call) {
        requireWritable(into);
        ancillary.clear();
        if (!into.hasRemaining()) {
            return 0;
        }
        MsgHdr message = ancillary.message();
        int n =
                into.isDirect()
                        ? SysSocket.recvmsg(fd, message, MemorySegment.ofBuffer(into), flags)
                        : SysSocket.recvmsg(
                                fd,
                                message,
                                into.array(),
                                into.arrayOffset() + into.position(),
                                atOnce(into),
                                flags);
        if (n >= 0) {
            ancillary.fill(type);
        }
        return received(into, n, call);
    }

    private static void requireWritable(ByteBuffer into) {
        if (into.isReadOnly()) {
            throw new ReadOnlyBufferException();
        }
    }

    private int received(ByteBuffer into, int n, String call) {
        if (n == -Errno.EAGAIN) {
            return UnixSocket.WOULD_BLOCK;
        }
        ErrnoException.check(n, call, fd);
        if (n == 0 && type != SocketType.DATAGRAM) {
            return UnixSocket.END;
        }
        into.position(into.position() + n);
        return n;
    }
}
