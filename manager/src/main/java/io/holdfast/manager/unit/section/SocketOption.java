package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The options of sockets that a directive sets, one row for each: those of setsockopt(2), and those
 * of FIFOs, special files and message queues.
 *
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd.socket.html">systemd.socket</a>
 */
public enum SocketOption {
    // numbers of asm-generic/socket.h, linux/tcp.h, linux/in.h and linux/in6.h
    KEEP_ALIVE("KeepAlive", Kind.FLAG, Place.SOCKET, 9),
    KEEP_ALIVE_TIME("KeepAliveTimeSec", Kind.SPAN, Place.TCP, 4),
    KEEP_ALIVE_INTERVAL("KeepAliveIntervalSec", Kind.SPAN, Place.TCP, 5),
    KEEP_ALIVE_PROBES("KeepAliveProbes", Kind.COUNT, Place.TCP, 6),
    NO_DELAY("NoDelay", Kind.FLAG, Place.TCP, 1),
    DEFER_ACCEPT("DeferAcceptSec", Kind.SPAN, Place.TCP, 9),
    CONGESTION("TCPCongestion", Kind.TEXT, Place.TCP, 13),
    PRIORITY("Priority", Kind.NUMBER, Place.SOCKET, 12),
    MARK("Mark", Kind.NUMBER, Place.SOCKET, 36),
    RECEIVE_BUFFER("ReceiveBuffer", Kind.SIZE, Place.SOCKET, 33), // above the limit of the system
    SEND_BUFFER("SendBuffer", Kind.SIZE, Place.SOCKET, 32),
    BROADCAST("Broadcast", Kind.FLAG, Place.SOCKET, 6),
    PASS_SECURITY("PassSecurity", Kind.FLAG, Place.SOCKET, 34),
    TIMESTAMPING("Timestamping", Kind.TIMESTAMPS, Place.SOCKET, 0),
    TOS("IPTOS", Kind.SERVICE, Place.IP, 1),
    TTL("IPTTL", Kind.NUMBER, Place.IP, 2, 16),
    PASS_PACKET_INFO("PassPacketInfo", Kind.FLAG, Place.IP, 8, 49),
    REUSE_PORT("ReusePort", Kind.FLAG, Place.BEFORE_BIND, 15),
    BIND_TO_DEVICE("BindToDevice", Kind.TEXT, Place.BEFORE_BIND, 25),
    FREE_BIND("FreeBind", Kind.FLAG, Place.IP_BEFORE_BIND, 15, 78),
    TRANSPARENT("Transparent", Kind.FLAG, Place.IP_BEFORE_BIND, 19, 75),
    PROTOCOL("SocketProtocol", Kind.PROTOCOL, Place.NONE, 0),
    FLUSH_PENDING("FlushPending", Kind.FLAG, Place.NONE, 0),
    PASS_TO_COMMANDS("PassFileDescriptorsToExec", Kind.FLAG, Place.NONE, 0),
    PIPE_SIZE("PipeSize", Kind.SIZE, Place.NONE, 0),
    WRITABLE("Writable", Kind.FLAG, Place.NONE, 0),
    QUEUE_MESSAGES("MessageQueueMaxMessages", Kind.LONG, Place.NONE, 0),
    QUEUE_MESSAGE_SIZE("MessageQueueMessageSize", Kind.LONG, Place.NONE, 0);

    /** The kinds of values. */
    public enum Kind {
        FLAG,
        /** In the file a time span; for the kernel whole seconds. */
        SPAN,
        /** At least 0. */
        COUNT,
        NUMBER,
        /** Bytes. */
        SIZE,
        LONG,
        TEXT,
        /** A number or a word of IPTOS=. */
        SERVICE,
        /** {@code off}, {@code us} or {@code ns}. */
        TIMESTAMPS,
        /** The word or the number of a protocol. */
        PROTOCOL
    }

    /** The sockets that it is set on, and when. */
    public enum Place {
        /** All sockets. */
        SOCKET,
        /** TCP ports. */
        TCP,
        /** Ports. */
        IP,
        /** As {@link #SOCKET}; without it the socket is not opened. */
        BEFORE_BIND,
        /** As {@link #IP}; without it the socket is not opened. */
        IP_BEFORE_BIND,
        /** It is no option of sockets. */
        NONE
    }

    private static final Map<String, SocketOption> BY_DIRECTIVE =
            Stream.of(values())
                    .collect(Collectors.toUnmodifiableMap(SocketOption::directive, each -> each));

    private static final List<String> SERVICES =
            List.of("low-delay", "throughput", "reliability", "low-cost");
    private static final int LOW_DELAY = 0x10;

    private final String directive;
    private final Kind kind;
    private final Place place;
    private final int number;
    private final int numberV6;

    SocketOption(String directive, Kind kind, Place place, int number) {
        this(directive, kind, place, number, number);
    }

    SocketOption(String directive, Kind kind, Place place, int number, int numberV6) {
        this.directive = directive;
        this.kind = kind;
        this.place = place;
        this.number = number;
        this.numberV6 = numberV6;
    }

    /** {@return the row of a directive; null if there is none} */
    static @Nullable SocketOption of(String directive) {
        return BY_DIRECTIVE.get(directive);
    }

    public String directive() {
        return directive;
    }

    public Kind kind() {
        return kind;
    }

    public Place place() {
        return place;
    }

    public int number(boolean v6) {
        return v6 ? numberV6 : number;
    }

    /**
     * Returns the value in one form: a decimal number, or the text. A time span is in microseconds.
     *
     * @throws IllegalArgumentException saying what was expected
     */
    String parse(String text) {
        return switch (kind) {
            case FLAG -> Scalars.parseBoolean(text) ? "1" : "0";
            case SPAN -> Long.toString(TimeSpan.parse(text).micros());
            case COUNT -> Integer.toString(Scalars.parseInt(text, 0, Integer.MAX_VALUE));
            case NUMBER -> Integer.toString(Scalars.parseInt(text, -1, Integer.MAX_VALUE));
            case LONG -> Long.toString(Scalars.parseUnsigned(text));
            case SIZE -> Long.toString(Scalars.parseSize(text));
            case TEXT -> text;
            case SERVICE ->
                    Integer.toString(
                            SERVICES.contains(text)
                                    ? LOW_DELAY >> SERVICES.indexOf(text)
                                    : Scalars.parseInt(text, 0, 0xff));
            case TIMESTAMPS -> timestamps(text);
            case PROTOCOL -> protocol(text);
        };
    }

    /** Returns the number of linux/in.h. */
    private static String protocol(String text) {
        return switch (text) {
            case "udplite", "136" -> "136";
            case "sctp", "132" -> "132";
            case "mptcp", "262" -> "262";
            default -> throw Scalars.bad("udplite, sctp or mptcp", text);
        };
    }

    private static String timestamps(String text) {
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "off" -> "off";
            case "us", "usec", "µs", "μs" -> "us";
            case "ns", "nsec" -> "ns";
            default -> throw Scalars.bad("off, us or ns", text);
        };
    }
}
