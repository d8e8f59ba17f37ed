package io.holdfast.bus;

import static io.holdfast.dbus.BusNames.BUS;
import static io.holdfast.dbus.BusNames.BUS_PATH;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.marshal.BodyWriter;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.marshal.ReceivedMessage;
import io.holdfast.dbus.marshal.Values;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageType;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A client of a bus that sends exactly the bytes that the test gives it, and returns what it
 * receives in order. Each wait has a time limit.
 */
final class TestClient implements AutoCloseable {
    static final String PATH = "/p";
    static final String INTERFACE = "i.f";

    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final UnixSocket socket;
    private final Ancillary beside = Ancillary.ofDescriptors(253);
    private final List<Fd> descriptors = new ArrayList<>();
    private final List<Message> skipped = new ArrayList<>();
    private byte[] input = {};
    private String name = "";
    private ByteOrder order = ByteOrder.LITTLE_ENDIAN;
    private int serial;

    private TestClient(UnixSocket socket) {
        this.socket = socket;
    }

    /** Returns a client that is connected and has sent nothing. */
    static TestClient silent(String address) throws InterruptedException {
        String path = address.replaceAll(".*path=([^,;]*).*", "$1");
        return new TestClient(
                UnixSocket.connect(
                        UnixAddress.path(java.nio.file.Path.of(path)), SocketType.STREAM));
    }

    /** Returns a client over a socket that is connected already. */
    static TestClient of(UnixSocket socket) {
        return new TestClient(socket);
    }

    /** Returns the bytes of a client's authentication, with or without descriptors. */
    static byte[] sasl(boolean descriptors) {
        String more = descriptors ? "NEGOTIATE_UNIX_FD\r\n" : "";
        return ("\0AUTH EXTERNAL\r\nDATA\r\n" + more + "BEGIN\r\n").getBytes(US_ASCII);
    }

    /** Authenticates, and waits for the replies. */
    TestClient authenticate(boolean withDescriptors) throws InterruptedException {
        sendBytes(sasl(withDescriptors));
        for (int line = withDescriptors ? 3 : 2; line > 0; line--) {
            var _ = readLine();
        }
        return this;
    }

    /** Calls Hello, and drops the messages that come with the reply. */
    TestClient hello() throws InterruptedException {
        Message reply = callBus("Hello");
        name = (String) reply.values().getFirst();
        var _ = heard();
        return this;
    }

    /** Makes it write big-endian messages from now on. */
    TestClient bigEndian() {
        order = ByteOrder.BIG_ENDIAN;
        return this;
    }

    String name() {
        return name;
    }

    UnixSocket socket() {
        return socket;
    }

    MessageWriter writer() {
        return new MessageWriter(order);
    }

    /** Returns a call of {@code i.f} at {@code /p}. */
    MessageWriter call(String destination, String member) {
        return writer().methodCall(PATH, INTERFACE, member).destination(destination);
    }

    /** Returns a broadcast signal of {@code i.f} at {@code /p}. */
    MessageWriter signal(String member) {
        return writer().signal(PATH, INTERFACE, member);
    }

    /** Returns a call to the bus; arguments are strings, numbers (u), and lists of strings. */
    MessageWriter toBus(String interfaceName, String member, Object... arguments) {
        MessageWriter call = writer().methodCall(BUS_PATH, interfaceName, member).destination(BUS);
        return arguments.length == 0 ? call : body(call, arguments);
    }

    /** Adds a body. */
    static MessageWriter body(MessageWriter message, Object... arguments) {
        StringBuilder signature = new StringBuilder();
        for (Object argument : arguments) {
            signature.append(
                    switch (argument) {
                        case String _ -> "s";
                        case Integer _ -> "u";
                        case List<?> _ -> "as";
                        case byte[] _ -> "ay";
                        default -> throw new IllegalArgumentException(argument.toString());
                    });
        }
        BodyWriter body = message.body(signature.toString());
        Values.writeAll(body, arguments);
        return body.end();
    }

    /** Sends a message under the next serial; returns the serial. */
    int send(MessageWriter message, Fd... fds) throws InterruptedException {
        int number = ++serial;
        sendAs(number, message, fds);
        return number;
    }

    /** Sends a message under a given serial. */
    void sendAs(int number, MessageWriter message, Fd... fds) throws InterruptedException {
        byte[] bytes = bytes(number, message);
        if (fds.length == 0) {
            sendBytes(bytes);
        } else {
            ByteBuffer data = ByteBuffer.wrap(bytes);
            int ignored = socket.send(data, List.of(fds));
            socket.sendFully(data);
        }
    }

    static byte[] bytes(int number, MessageWriter message) {
        return message.serial(number).finish().toArray(JAVA_BYTE);
    }

    void sendBytes(byte[] bytes) throws InterruptedException {
        socket.sendFully(ByteBuffer.wrap(bytes));
    }

    /** Calls org.freedesktop.DBus, and waits for the reply; other messages are kept. */
    Message callBus(String member, Object... arguments) throws InterruptedException {
        return answer(send(toBus(BUS, member, arguments)));
    }

    /** Calls the bus, and returns the single value of the reply. */
    Object query(String member, Object... arguments) throws InterruptedException {
        Message reply = callBus(member, arguments);
        if (reply.type() != MessageType.METHOD_RETURN) {
            throw new AssertionError(member + ": " + describe(reply));
        }
        return reply.values().getFirst();
    }

    /** Calls any interface of the bus; returns the reply in short, see {@link #describe}. */
    String tryBus(String interfaceName, String member, Object... arguments)
            throws InterruptedException {
        return describe(answer(send(toBus(interfaceName, member, arguments))));
    }

    /** Waits for the reply to one of its calls; earlier messages are kept for {@link #heard}. */
    Message answer(int to) throws InterruptedException {
        while (true) {
            Message message = readNext();
            if (message.replySerial() == to) {
                return message;
            }
            skipped.add(message);
        }
    }

    /** Returns the next message, of those that were kept or that arrive. */
    Message read() throws InterruptedException {
        return skipped.isEmpty() ? readNext() : skipped.removeFirst();
    }

    /** Describes all messages that arrived until the bus had handled this call. */
    List<String> heard() throws InterruptedException {
        return messages().stream().map(this::describe).collect(Collectors.toList());
    }

    /** Returns all messages that arrived until the bus had handled this call. */
    List<Message> messages() throws InterruptedException {
        var _ = callBus("GetId");
        List<Message> all = List.copyOf(skipped);
        skipped.clear();
        return all;
    }

    /** Describes a message in a few words: its member, error or values. */
    String describe(Message message) {
        String what =
                switch (message.type()) {
                    case MessageType.METHOD_RETURN -> "return";
                    case MessageType.ERROR ->
                            String.valueOf(message.errorName())
                                    .replace("org.freedesktop.DBus.Error.", "");
                    case MessageType.METHOD_CALL, MessageType.SIGNAL ->
                            String.valueOf(message.member());
                    default -> "type " + message.type();
                };
        if (message.type() == MessageType.ERROR || message.signature().toString().isEmpty()) {
            return what;
        }
        return what
                + message.values().stream()
                        .map(String::valueOf)
                        .collect(Collectors.joining(",", "(", ")"));
    }

    /** Waits until the bus has closed the connection; returns the messages before that. */
    List<Message> untilClosed() throws InterruptedException {
        List<Message> last = new ArrayList<>(skipped);
        skipped.clear();
        while (true) {
            Message message = tryRead();
            if (message == null) {
                return last;
            }
            last.add(message);
        }
    }

    /** Returns whether the bus has closed this connection. */
    boolean isHungUp() {
        try {
            return (Readiness.await(socket.fd(), 0, Duration.ZERO) & Readiness.HUP) != 0;
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private Message readNext() throws InterruptedException {
        Message message = tryRead();
        if (message == null) {
            throw new AssertionError("the bus hung up on " + name + "; unread: " + skipped);
        }
        return message;
    }

    /** Returns the next message; null at the end of the stream. */
    private @org.jspecify.annotations.Nullable Message tryRead() throws InterruptedException {
        if (!fill(MessageView.FIXED_LENGTH)) {
            return null;
        }
        int length = MessageView.lengthOf(MemorySegment.ofArray(input), 0);
        if (!fill(length)) {
            return null;
        }
        byte[] bytes = take(length);
        MessageView view = new MessageView();
        view.read(MemorySegment.ofArray(bytes), 0, length);
        int fds = Math.min(view.unixFds(), descriptors.size());
        List<Fd> own = List.copyOf(descriptors.subList(0, fds));
        descriptors.subList(0, fds).clear();
        return ReceivedMessage.of(view, own);
    }

    /** Reads a line of the authentication, without its end. */
    String readLine() throws InterruptedException {
        int length = 0;
        do {
            if (!fill(++length)) {
                throw new AssertionError("the bus hung up after " + new String(input, US_ASCII));
            }
        } while (input[length - 1] != '\n');
        return new String(take(length), US_ASCII).strip();
    }

    private byte[] take(int length) {
        byte[] taken = java.util.Arrays.copyOf(input, length);
        input = java.util.Arrays.copyOfRange(input, length, input.length);
        return taken;
    }

    /** Reads until so many bytes are there; returns false at the end of the stream. */
    private boolean fill(int length) throws InterruptedException {
        while (input.length < length) {
            if (Readiness.await(socket.fd(), Readiness.IN, LIMIT) == Readiness.NONE) {
                throw new AssertionError(name + " got nothing more; unread: " + skipped);
            }
            // never beyond the bytes that carried descriptors, as they belong to the last of these
            ByteBuffer into = ByteBuffer.allocate(Math.max(1 << 16, length - input.length));
            int n;
            try {
                n = socket.tryReceive(into, beside);
            } catch (ErrnoException e) {
                if (e.errno() != Errno.ECONNRESET) {
                    throw e;
                }
                n = UnixSocket.END;
            }
            descriptors.addAll(beside.takeDescriptors());
            if (n == UnixSocket.END) {
                return false;
            }
            if (n > 0) {
                int have = input.length;
                input = java.util.Arrays.copyOf(input, have + n);
                into.flip().get(input, have, n);
            }
        }
        return true;
    }

    @Override
    public void close() {
        socket.close();
        beside.close();
        descriptors.forEach(Fd::close);
        skipped.forEach(Message::close);
    }
}
