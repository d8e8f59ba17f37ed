package io.holdfast.benchmarks.operations;

import static io.holdfast.dbus.BusNames.BUS;
import static io.holdfast.dbus.BusNames.BUS_PATH;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.marshal.BodyWriter;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.sasl.SaslClient;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Optional;

/** A client of a bus that sends and receives bytes as they are, and so allocates nothing for it. */
final class BusClient implements AutoCloseable {
    private static final int ROOM = 1 << 16;

    private final UnixSocket socket;
    private final ByteBuffer input = ByteBuffer.allocateDirect(ROOM);
    private final MemorySegment bytes = MemorySegment.ofBuffer(input);
    private final MessageView view = new MessageView();

    private BusClient(UnixSocket socket) {
        this.socket = socket;
    }

    /** Connects and says Hello. */
    static BusClient connect(UnixAddress bus) throws InterruptedException {
        BusClient client = new BusClient(UnixSocket.connect(bus, SocketType.STREAM));
        client.authenticate();
        client.call("Hello");
        return client;
    }

    private void authenticate() throws InterruptedException {
        SaslClient sasl = new SaslClient(SaslClient.Mechanism.EXTERNAL, false, Optional.empty());
        send(ByteBuffer.wrap(sasl.opening()));
        while (sasl.state() == SaslClient.State.WAITING) {
            int _ = sasl.read(bytes, 0, socket.receive(input.clear()));
        }
    }

    /** Calls the bus, and waits for its reply; earlier messages are dropped. */
    void call(String member, String... arguments) throws InterruptedException {
        BodyWriter body =
                new MessageWriter()
                        .methodCall(BUS_PATH, BUS, member)
                        .serial(1)
                        .destination(BUS)
                        .body("s".repeat(arguments.length));
        for (String argument : arguments) {
            body = body.putString(argument);
        }
        send(body.end().finish().asByteBuffer());
        while (next().replySerial() == 0) {}
        if (view.type() != MessageType.METHOD_RETURN) {
            throw new IllegalStateException(member + ": " + view.errorName());
        }
    }

    /** Returns the next message, valid until the call after. */
    MessageView next() throws InterruptedException {
        receive(input.clear().limit(MessageView.FIXED_LENGTH));
        int length = MessageView.lengthOf(bytes, 0);
        receive(input.limit(length));
        view.read(bytes, 0, length);
        return view;
    }

    void send(ByteBuffer data) throws InterruptedException {
        socket.sendFully(data);
    }

    /** Fills the buffer. */
    void receive(ByteBuffer room) throws InterruptedException {
        while (room.hasRemaining()) {
            if (socket.receive(room) == UnixSocket.END) {
                throw new IllegalStateException("the bus hung up");
            }
        }
    }

    @Override
    public void close() {
        socket.close();
    }
}
