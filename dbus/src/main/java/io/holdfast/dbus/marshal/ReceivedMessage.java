package io.holdfast.dbus.marshal;

import io.holdfast.core.Fd;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.Signature;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A copy of header and body, which owns its descriptors until a caller takes them. */
public final class ReceivedMessage implements Message {
    private final int type;
    private final int flags;
    private final int serial;
    private final int replySerial;
    private final @Nullable String path;
    private final @Nullable String interfaceName;
    private final @Nullable String member;
    private final @Nullable String errorName;
    private final @Nullable String destination;
    private final @Nullable String sender;
    private final Signature signature;
    private final ByteOrder order;
    private final MemorySegment body;
    private final int length;
    private List<Fd> descriptors; // guarded by this

    private ReceivedMessage(MessageView view, List<Fd> descriptors) {
        type = view.type();
        flags = view.flags();
        serial = view.serial();
        replySerial = view.replySerial();
        path = view.path();
        interfaceName = view.interfaceName();
        member = view.member();
        errorName = view.errorName();
        destination = view.destination();
        sender = view.sender();
        signature =
                view.has(HeaderField.SIGNATURE) ? Signature.of(view.signature()) : Signature.EMPTY;
        order = view.order();
        body =
                MemorySegment.ofArray(
                        TextBytes.copy(view.bytes(), view.bodyOffset(), view.bodyLength()));
        length = view.length();
        this.descriptors = List.copyOf(descriptors);
    }

    @Override
    public int length() {
        return length;
    }

    /** {@return a copy of a message without descriptors} */
    public static ReceivedMessage of(MessageView view) {
        return new ReceivedMessage(view, List.of());
    }

    /** {@return a copy of a message that owns the descriptors from now on} */
    public static ReceivedMessage of(MessageView view, List<Fd> descriptors) {
        return new ReceivedMessage(view, descriptors);
    }

    @Override
    public int type() {
        return type;
    }

    @Override
    public int flags() {
        return flags;
    }

    @Override
    public boolean hasFlag(int flag) {
        return (flags & flag) != 0;
    }

    @Override
    public int serial() {
        return serial;
    }

    @Override
    public int replySerial() {
        return replySerial;
    }

    @Override
    public @Nullable String path() {
        return path;
    }

    @Override
    public @Nullable String interfaceName() {
        return interfaceName;
    }

    @Override
    public @Nullable String member() {
        return member;
    }

    @Override
    public @Nullable String errorName() {
        return errorName;
    }

    @Override
    public @Nullable String destination() {
        return destination;
    }

    @Override
    public @Nullable String sender() {
        return sender;
    }

    @Override
    public Signature signature() {
        return signature;
    }

    /** {@return a new reader at the first value of the body} */
    BodyReader reader() {
        return new BodyReader().read(body, order, signature);
    }

    @Override
    public List<Object> values() {
        return Values.readAll(reader());
    }

    @Override
    public synchronized List<Fd> descriptors() {
        return descriptors;
    }

    @Override
    public synchronized List<Fd> takeDescriptors() {
        List<Fd> taken = descriptors;
        descriptors = List.of();
        return taken;
    }

    @Override
    public void close() {
        takeDescriptors().forEach(Fd::close);
    }

    /** Returns a text for logs. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(MessageType.nameOf(type));
        text.append(" serial ").append(Integer.toUnsignedString(serial));
        for (String part : new @Nullable String[] {path, interfaceName, member, errorName}) {
            if (part != null) {
                text.append(' ').append(part);
            }
        }
        return text.append(sender == null ? "" : " from " + sender).toString();
    }
}
