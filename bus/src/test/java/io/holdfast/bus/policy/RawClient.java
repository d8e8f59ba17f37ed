package io.holdfast.bus.policy;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.wire.MessageType;
import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A client of any bus that sends what the test gives it, and keeps what it receives until the test
 * fetches it.
 */
final class RawClient implements AutoCloseable {
    private final SocketChannel channel;
    private final List<MessageView> received = new ArrayList<>();
    private final String name;
    private int serial;

    RawClient(Path socket) throws IOException {
        channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        boolean connected = channel.connect(UnixDomainSocketAddress.of(socket));
        if (!connected) {
            throw new IOException("not connected");
        }
        write(ByteBuffer.wrap("\0AUTH EXTERNAL\r\nDATA\r\n".getBytes(US_ASCII)));
        readLine();
        readLine();
        write(ByteBuffer.wrap("BEGIN\r\n".getBytes(US_ASCII)));
        MessageView hello = callBus("Hello");
        name =
                new String(
                        hello.bytes()
                                .asSlice(hello.argOffset(0), hello.argLength(0))
                                .toArray(JAVA_BYTE),
                        US_ASCII);
    }

    /** Its unique name. */
    String name() {
        return name;
    }

    int send(MessageWriter message) throws IOException {
        int number = ++serial;
        write(message.serial(number).finish().asByteBuffer());
        return number;
    }

    /** Calls the bus itself, and waits for the reply. */
    MessageView callBus(String member, String... strings) throws IOException {
        return callBus(member, "", 0, strings);
    }

    void requestName(String wanted) throws IOException {
        MessageView reply = callBus("RequestName", "u", 0, wanted);
        if (reply.type() != MessageType.METHOD_RETURN) {
            throw new IOException("refused: " + reply);
        }
    }

    private MessageView callBus(String member, String more, int number, String... strings)
            throws IOException {
        MessageWriter call =
                TestMessage.call("org.freedesktop.DBus", "org.freedesktop.DBus", member);
        String signature = "s".repeat(strings.length) + more;
        if (!signature.isEmpty()) {
            var body = call.body(signature);
            for (String string : strings) {
                body.putString(string);
            }
            call = more.isEmpty() ? body.end() : body.putUint32(number).end();
        }
        int callSerial = send(call);
        while (true) {
            MessageView message = read();
            if (message.replySerial() == callSerial
                    && "org.freedesktop.DBus".equals(message.sender())) {
                return message;
            }
            received.add(message);
        }
    }

    /**
     * Returns what arrived since the last call: everything that was sent before the other clients
     * last called the bus.
     */
    List<MessageView> received() throws IOException {
        var _ = callBus("GetId");
        List<MessageView> all = List.copyOf(received);
        received.clear();
        return all;
    }

    private MessageView read() throws IOException {
        ByteBuffer start = readFully(MessageView.FIXED_LENGTH);
        int length = MessageView.lengthOf(MemorySegment.ofBuffer(start), 0);
        byte[] bytes = new byte[length];
        start.get(bytes, 0, MessageView.FIXED_LENGTH);
        readFully(length - MessageView.FIXED_LENGTH)
                .get(bytes, MessageView.FIXED_LENGTH, length - MessageView.FIXED_LENGTH);
        MessageView view = new MessageView();
        view.read(MemorySegment.ofArray(bytes), 0, length);
        return view;
    }

    private void readLine() throws IOException {
        while (readFully(1).get() != '\n') {
            // up to the end of the line
        }
    }

    private ByteBuffer readFully(int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer) < 0) {
                throw new EOFException("the bus hung up");
            }
        }
        return buffer.flip();
    }

    private void write(ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            int ignored = channel.write(bytes);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
