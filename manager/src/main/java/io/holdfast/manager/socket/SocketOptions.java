package io.holdfast.manager.socket;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.socket.SysInet;
import io.holdfast.core.sys.socket.SysSocket;
import io.holdfast.manager.unit.section.SocketOption;
import io.holdfast.manager.unit.section.SocketOption.Place;
import io.holdfast.manager.unit.section.SocketSection;
import io.holdfast.manager.unit.section.SocketSection.Listen;
import io.holdfast.manager.unit.value.ListenAddress;
import java.net.Inet4Address;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Sets the options of a socket. Those that decide who can reach it are set before it is bound, and
 * it is not opened without them; a failure of another one is only a warning, as in systemd.
 */
final class SocketOptions {
    private static final int IPPROTO_IP = 0;
    private static final int IPPROTO_TCP = 6;
    private static final int SO_TIMESTAMP = 29;
    private static final int SO_TIMESTAMPNS = 35;
    private static final long MICROS = 1_000_000;

    private SocketOptions() {}

    /**
     * Sets the options that must be set before the socket is bound.
     *
     * @throws ErrnoException EPERM, ENODEV (no such network interface), and others
     */
    static void beforeBind(Listen listen, Fd fd, SocketSection settings) {
        settings.options()
                .forEach((option, value) -> {
                    boolean isPort = listen.address() instanceof ListenAddress.Port;
                    if (option.place() == Place.BEFORE_BIND
                            || (option.place() == Place.IP_BEFORE_BIND && isPort)) {
                        ErrnoException.check(
                                set(listen, fd, option, value),
                                option.directive() + "=" + value,
                                listen);
                    }
                });
    }

    /**
     * Sets the other options.
     *
     * @param warnings receives a line for each that cannot be set
     */
    static void afterwards(
            ListeningSocket socket, SocketSection settings, Consumer<String> warnings) {
        for (Map.Entry<SocketOption, String> each : settings.options().entrySet()) {
            SocketOption option = each.getKey();
            Listen listen = socket.listen();
            boolean applies =
                    switch (option.place()) {
                        case SOCKET -> listen.kind().isSocket();
                        case TCP ->
                                listen.kind() == Listen.Kind.STREAM
                                        && listen.address() instanceof ListenAddress.Port;
                        case IP -> listen.address() instanceof ListenAddress.Port;
                        case BEFORE_BIND, IP_BEFORE_BIND -> false;
                        case NONE ->
                                option == SocketOption.PIPE_SIZE
                                        && listen.kind() == Listen.Kind.FIFO;
                    };
            if (applies) {
                int r = set(listen, socket.fd(), option, each.getValue());
                if (r < 0) {
                    warnings.accept(
                            "%s=%s is not set on %s: %s"
                                    .formatted(
                                            option.directive(),
                                            each.getValue(),
                                            listen,
                                            Errno.name(-r)));
                }
            }
        }
    }

    /** Sets an option: 0 or more, or -errno. */
    private static int set(Listen listen, Fd fd, SocketOption option, String value) {
        boolean v6 =
                listen.address() instanceof ListenAddress.Port port
                        && !(port.host().orElse(null) instanceof Inet4Address);
        int number = option.number(v6);
        return switch (option) {
            case PIPE_SIZE -> Fcntl.setPipeSize(fd, small(Long.parseLong(value)));
            case CONGESTION -> text(fd, IPPROTO_TCP, number, value);
            case BIND_TO_DEVICE -> text(fd, SysSocket.SOL_SOCKET, number, value);
            case TIMESTAMPING ->
                    value.equals("off")
                            ? 0
                            : SysSocket.setOption(
                                    fd, value.equals("us") ? SO_TIMESTAMP : SO_TIMESTAMPNS, 1);
            case RECEIVE_BUFFER -> buffer(fd, number, SysSocket.SO_RCVBUF, value);
            case SEND_BUFFER -> buffer(fd, number, SysSocket.SO_SNDBUF, value);
            default -> {
                long wanted = Long.parseLong(value);
                int set = small(option.kind() == SocketOption.Kind.SPAN ? seconds(wanted) : wanted);
                boolean unset = set < 0 && option.kind() == SocketOption.Kind.NUMBER;
                yield unset ? 0 : SysInet.setOption(fd, level(option, v6), number, set);
            }
        };
    }

    private static int level(SocketOption option, boolean v6) {
        return switch (option.place()) {
            case SOCKET, BEFORE_BIND, NONE -> SysSocket.SOL_SOCKET;
            case TCP -> IPPROTO_TCP;
            case IP, IP_BEFORE_BIND ->
                    v6 && option.number(true) != option.number(false)
                            ? SysInet.IPPROTO_IPV6
                            : IPPROTO_IP;
        };
    }

    /** Sets the size of a buffer, above the limit of the system if we may. */
    private static int buffer(Fd fd, int forced, int usual, String value) {
        int size = small(Long.parseLong(value));
        int r = SysSocket.setOption(fd, forced, size);
        return r == -Errno.EPERM ? SysSocket.setOption(fd, usual, size) : r;
    }

    private static int text(Fd fd, int level, int option, String value) {
        return SysInet.setOption(fd, level, option, value.getBytes(StandardCharsets.UTF_8));
    }

    private static long seconds(long micros) {
        return micros / MICROS + (micros % MICROS == 0 ? 0 : 1);
    }

    private static int small(long value) {
        return (int) Math.min(Integer.MAX_VALUE, value);
    }
}
