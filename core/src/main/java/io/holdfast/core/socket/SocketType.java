package io.holdfast.core.socket;

import io.holdfast.core.sys.socket.SysSocket;

/** The types of AF_UNIX sockets (unix(7)). */
public enum SocketType {
    /** A stream of bytes. */
    STREAM(SysSocket.SOCK_STREAM),
    /** Messages without a connection, reliable and in order. */
    DATAGRAM(SysSocket.SOCK_DGRAM),
    /** Messages over a connection. */
    SEQPACKET(SysSocket.SOCK_SEQPACKET);

    private final int number;

    SocketType(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }

    static SocketType of(int number) {
        for (SocketType type : values()) {
            if (type.number == number) {
                return type;
            }
        }
        throw new IllegalArgumentException("not a type of AF_UNIX sockets: " + number);
    }
}
