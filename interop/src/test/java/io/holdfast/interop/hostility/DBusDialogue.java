package io.holdfast.interop.hostility;

import io.holdfast.core.Fd;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.marshal.ReceivedMessage;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.sasl.SaslClient;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Optional;

/** A conversation over D-Bus: it reads replies, and skips signals. */
final class DBusDialogue implements EntryPoint.Dialogue {
    private static final int ROOM = 64 << 10;

    private final UnixSocket socket;
    private final byte[] greeting;
    private final SaslClient sasl =
            new SaslClient(SaslClient.Mechanism.EXTERNAL, true, Optional.empty());
    private final MessageView view = new MessageView();
    private ByteBuffer buffer = ByteBuffer.allocateDirect(ROOM);
    private int start; // index of the first unread byte

    /**
     * @param socket stays the caller's
     * @param greeting sent before the first call
     */
    DBusDialogue(UnixSocket socket, byte[] greeting) {
        this.socket = socket;
        this.greeting = greeting;
    }

    @Override
    public EntryPoint.Answer call(EntryPoint.Call call, Fd some) throws InterruptedException {
        if (sasl.state() == SaslClient.State.WAITING) {
            socket.sendFully(ByteBuffer.wrap(greeting));
            authenticate();
        }
        int serial = serialOf(call.bytes());
        call.send(socket, some, 0);
        Message reply = next();
        while (reply.replySerial() != serial) {
            reply = next();
        }
        String error =
                reply.type() == MessageType.ERROR ? reply.errorName() + " " + reply.values() : "";
        return new EntryPoint.Answer(reply.length(), error);
    }

    private int serialOf(byte[] bytes) {
        view.read(MemorySegment.ofArray(bytes), 0, bytes.length);
        return view.serial();
    }

    private void authenticate() throws InterruptedException {
        while (sasl.state() == SaslClient.State.WAITING) {
            if (start == buffer.position()) {
                fill();
            }
            start += sasl.read(MemorySegment.ofBuffer(whole()), start, buffer.position() - start);
        }
        if (sasl.state() != SaslClient.State.DONE) {
            throw new IllegalStateException("authentication failed: " + sasl.refusal());
        }
    }

    private Message next() throws InterruptedException {
        int length = MessageView.FIXED_LENGTH;
        while (true) {
            int there = buffer.position() - start;
            if (there >= MessageView.FIXED_LENGTH) {
                MemorySegment bytes = MemorySegment.ofBuffer(whole());
                length = MessageView.lengthOf(bytes, start);
                if (there >= length) {
                    view.read(bytes, start, length);
                    start += length;
                    return ReceivedMessage.of(view);
                }
            }
            makeRoom(length);
            fill();
        }
    }

    private ByteBuffer whole() {
        return buffer.duplicate().clear();
    }

    private void makeRoom(int length) {
        buffer.flip().position(start);
        if (length <= buffer.capacity()) {
            buffer.compact();
        } else {
            buffer = ByteBuffer.allocateDirect(length).put(buffer);
        }
        start = 0;
    }

    private void fill() throws InterruptedException {
        if (!buffer.hasRemaining()) {
            makeRoom(1);
        }
        if (socket.receive(buffer) == UnixSocket.END) {
            throw new IllegalStateException("disconnected");
        }
    }
}
