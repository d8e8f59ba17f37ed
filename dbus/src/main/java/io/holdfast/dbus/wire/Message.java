package io.holdfast.dbus.wire;

import io.holdfast.core.Fd;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A received message: a copy of header and body, which owns its descriptors until a caller takes
 * them. Immutable except for the descriptors.
 */
public final class Message implements AutoCloseable {
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

    private Message(MessageView view, List<Fd> descriptors) {
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
                view.has(HeaderField.SIGNATURE)
                        ? Signature.checked(
                                view.bytes(),
                                view.offset(HeaderField.SIGNATURE),
                                view.length(HeaderField.SIGNATURE))
                        : Signature.EMPTY;
        order = view.order();
        body =
                MemorySegment.ofArray(
                        TextBytes.copy(view.bytes(), view.bodyOffset(), view.bodyLength()));
        length = view.length();
        this.descriptors = List.copyOf(descriptors);
    }

    /** {@return the length of the whole received message in bytes: header, padding and body} */
    public int length() {
        return length;
    }

    /**
     * {@return a copy of a message without descriptors}
     *
     * @param view the message
     */
    public static Message of(MessageView view) {
        return new Message(view, List.of());
    }

    /**
     * {@return a copy of a message that owns the descriptors from now on}
     *
     * @param view the message
     * @param descriptors the descriptors of the message
     */
    public static Message of(MessageView view, List<Fd> descriptors) {
        return new Message(view, descriptors);
    }

    /** {@return one of {@link MessageType}, or another number up to 255} */
    public int type() {
        return type;
    }

    /** {@return the bits of {@link MessageFlags}} */
    public int flags() {
        return flags;
    }

    /**
     * {@return whether a flag is set}
     *
     * @param flag one of {@link MessageFlags}
     */
    public boolean hasFlag(int flag) {
        return (flags & flag) != 0;
    }

    /** {@return the serial, unsigned, not 0} */
    public int serial() {
        return serial;
    }

    /**
     * {@return the serial of the call to which this message replies, unsigned; 0 if there is none}
     */
    public int replySerial() {
        return replySerial;
    }

    /**
     * {@return the object of the call, or the object that sends the signal; null if absent, as in
     * replies}
     */
    public @Nullable String path() {
        return path;
    }

    /** {@return the interface of the call or signal; null if absent: a call may leave it out} */
    public @Nullable String interfaceName() {
        return interfaceName;
    }

    /** {@return the name of the method or signal; null if absent, as in replies} */
    public @Nullable String member() {
        return member;
    }

    /** {@return the name of the error; null if absent, as in messages that are no errors} */
    public @Nullable String errorName() {
        return errorName;
    }

    /** {@return the bus name of the receiver; null in a broadcast, and without a bus} */
    public @Nullable String destination() {
        return destination;
    }

    /** {@return the unique name of the sender, set by the bus; null without a bus} */
    public @Nullable String sender() {
        return sender;
    }

    /** {@return the types of the body, empty if it has none} */
    public Signature signature() {
        return signature;
    }

    /** {@return a new reader at the first value of the body} */
    public BodyReader reader() {
        return new BodyReader().read(body, order, signature);
    }

    /** {@return the body as plain values, see {@link Values}} */
    public List<Object> values() {
        return Values.readAll(reader());
    }

    /** {@return the descriptors that were not taken; the message still owns them} */
    public synchronized List<Fd> descriptors() {
        return descriptors;
    }

    /** {@return the descriptors, which the caller owns from now on; the message keeps none} */
    public synchronized List<Fd> takeDescriptors() {
        List<Fd> taken = descriptors;
        descriptors = List.of();
        return taken;
    }

    /** Closes the descriptors that were not taken. */
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
