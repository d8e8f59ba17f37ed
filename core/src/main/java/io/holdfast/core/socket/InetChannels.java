package io.holdfast.core.socket;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.socket.SysInet;
import io.holdfast.core.sys.socket.SysSocket;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;
import java.nio.channels.DatagramChannel;
import java.nio.channels.NetworkChannel;
import java.nio.channels.ServerSocketChannel;

/**
 * Makes channels of java.nio from descriptors of TCP and UDP sockets.
 *
 * <p>Java makes no channel from a descriptor. So this opens a channel, binds it to a free port of
 * the loopback address, by which its descriptor is found in the table of this process, and replaces
 * that descriptor by the given one with dup3(2), in one step. The channel then uses the given
 * socket under its own number. Only the address that it noted when it was bound is that of the
 * channel.
 */
final class InetChannels {
    private InetChannels() {}

    static ServerSocketChannel server(Fd listening) throws IOException {
        ProtocolFamily family = require(listening, SysSocket.SOCK_STREAM);
        if (SysSocket.option(listening, SysSocket.SO_ACCEPTCONN) != 1) {
            throw refusal(listening, Errno.EINVAL, "it does not listen: use FdChannel for it");
        }
        ServerSocketChannel channel = ServerSocketChannel.open(family);
        return replaced(channel, SysSocket.SOCK_STREAM, listening);
    }

    static DatagramChannel datagram(Fd bound) throws IOException {
        ProtocolFamily family = require(bound, SysSocket.SOCK_DGRAM);
        DatagramChannel channel = DatagramChannel.open(family);
        return replaced(channel, SysSocket.SOCK_DGRAM, bound);
    }

    private static ProtocolFamily require(Fd socket, int type) {
        int domain = SysSocket.option(socket, SysSocket.SO_DOMAIN);
        ErrnoException.check(domain, "getsockopt(SO_DOMAIN)", socket);
        if (domain != SysInet.AF_INET && domain != SysInet.AF_INET6) {
            throw refusal(
                    socket, Errno.EAFNOSUPPORT, "for AF_UNIX, use UnixListener or UnixSocket");
        }
        if (SysSocket.option(socket, SysSocket.SO_TYPE) != type) {
            throw refusal(
                    socket,
                    Errno.EPROTOTYPE,
                    "a ServerSocketChannel needs a TCP socket, a DatagramChannel a UDP socket");
        }
        return domain == SysInet.AF_INET
                ? StandardProtocolFamily.INET
                : StandardProtocolFamily.INET6;
    }

    private static ErrnoException refusal(Fd socket, int errno, String advice) {
        return new ErrnoException("channel", socket.toString(), errno, advice);
    }

    /** Replaces the socket of a new channel by another one, which is closed then. */
    private static <C extends NetworkChannel> C replaced(C channel, int type, Fd by)
            throws IOException {
        try {
            var _ = channel.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            InetSocketAddress local = (InetSocketAddress) channel.getLocalAddress();
            Fcntl.setBlocking(by, true); // as the channel assumes
            SysInet.replace(local, type, by);
            by.close();
            return channel;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }
}
