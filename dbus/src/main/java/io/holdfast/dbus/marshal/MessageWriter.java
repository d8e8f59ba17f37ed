package io.holdfast.dbus.marshal;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;

import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.MessageType;
import io.holdfast.dbus.wire.Signature;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Writes messages, one after the other, into its own memory:
 *
 * <pre>{@code
 * MemorySegment bytes = writer.methodCall("/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner")
 *         .serial(7)
 *         .destination("org.freedesktop.DBus")
 *         .body(STRING).putString("org.example.Clock").end()
 *         .finish();
 * }</pre>
 *
 * The header fields must be written before the body; the serial may be set until {@link #finish}.
 * An invalid message is refused with IllegalArgumentException (values) or IllegalStateException
 * (order of calls). Not safe for use by several threads.
 */
public final class MessageWriter {
    private static final int NO_BODY = -1;

    private final WireBuffer buffer;
    private final ByteOrder order;
    private final BodyWriter body;
    private int bodyStart = NO_BODY;
    private int given; // bit n: field n was written

    /** Makes a little-endian writer. */
    public MessageWriter() {
        this(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Makes a writer, which is used for one message after the other.
     *
     * @param order the byte order of all numbers
     */
    public MessageWriter(ByteOrder order) {
        this.order = order;
        buffer = new WireBuffer(order);
        body = new BodyWriter(buffer, this);
    }

    /**
     * Begins a call.
     *
     * @param path the path of the object
     * @param interfaceName the name of the interface; null leaves it out
     * @param member the name of the method
     */
    public MessageWriter methodCall(String path, @Nullable String interfaceName, String member) {
        begin(MessageType.METHOD_CALL);
        path(path);
        if (interfaceName != null) {
            interfaceName(interfaceName);
        }
        return member(member);
    }

    /** Begins the reply to the call with this serial. */
    public MessageWriter methodReturn(int replySerial) {
        return begin(MessageType.METHOD_RETURN).replySerial(replySerial);
    }

    /** Begins an error reply to the call with this serial. */
    public MessageWriter error(String name, int replySerial) {
        begin(MessageType.ERROR);
        name(HeaderField.ERROR_NAME, name, Syntax::isErrorName);
        return replySerial(replySerial);
    }

    /**
     * Begins a signal: a broadcast, unless it gets a {@link #destination(String)}.
     *
     * @param path the path of the object
     * @param member the name of the signal
     */
    public MessageWriter signal(String path, String interfaceName, String member) {
        return begin(MessageType.SIGNAL).path(path).interfaceName(interfaceName).member(member);
    }

    /** Drops what was written and begins a message of any type, without fields. */
    MessageWriter begin(int type) {
        buffer.clear();
        bodyStart = NO_BODY;
        given = 0;
        buffer.putByte(order == ByteOrder.LITTLE_ENDIAN ? 'l' : 'B');
        buffer.putByte(type);
        buffer.putByte(0);
        buffer.putByte(1);
        buffer.putInt(0);
        buffer.putInt(0);
        buffer.putInt(0);
        return this;
    }

    MessageWriter path(String path) {
        return text(HeaderField.PATH, path, Syntax.isObjectPath(path));
    }

    MessageWriter interfaceName(String name) {
        return name(HeaderField.INTERFACE, name, Syntax::isInterface);
    }

    MessageWriter member(String name) {
        return name(HeaderField.MEMBER, name, Syntax::isMember);
    }

    private MessageWriter replySerial(int serial) {
        if (serial == 0) {
            throw new IllegalArgumentException("reply to serial 0");
        }
        field(HeaderField.REPLY_SERIAL, 'u').putInt(serial);
        return this;
    }

    /**
     * Sets the flags.
     *
     * @param flags bits of {@link MessageFlags}
     */
    public MessageWriter flags(int flags) {
        started();
        buffer.patchByte(2, flags);
        return this;
    }

    /**
     * Sets the serial.
     *
     * @param serial the serial of the message, unsigned, not 0
     */
    public MessageWriter serial(int serial) {
        started();
        if (serial == 0) {
            throw new IllegalArgumentException("serial 0");
        }
        buffer.patchInt(8, serial);
        return this;
    }

    /**
     * Sets the bus name of the receiver, at most once per message.
     *
     * @param name a unique or well-known name
     */
    public MessageWriter destination(String name) {
        return name(HeaderField.DESTINATION, name, Syntax::isBusName);
    }

    /**
     * Sets the bus name of the sender, at most once per message. A bus replaces a client's value.
     */
    public MessageWriter sender(String name) {
        return name(HeaderField.SENDER, name, Syntax::isBusName);
    }

    /**
     * Sets the sender as {@link #sender(String)} does, from bytes that are known to be a bus name.
     */
    public MessageWriter sender(byte[] name) {
        once(HeaderField.SENDER, 's').putText(name);
        return this;
    }

    /**
     * Declares the number of descriptors that accompany the message.
     *
     * @param count 1 to 253, or 0 to leave the field out
     */
    public MessageWriter unixFds(int count) {
        if (count < 0 || count > WireLimits.MAX_DESCRIPTORS) {
            throw new IllegalArgumentException(
                    count + " descriptors, at most " + WireLimits.MAX_DESCRIPTORS);
        }
        if (count > 0) {
            once(HeaderField.UNIX_FDS, 'u').putInt(count);
        }
        return this;
    }

    /**
     * Begins the body; the returned writer accepts exactly the values of the signature.
     *
     * @param signature the types of the values
     * @return the writer of the body
     */
    public BodyWriter body(Signature signature) {
        if (!signature.toString().isEmpty()) {
            field(HeaderField.SIGNATURE, 'g').putSignature(signature);
        }
        endFields();
        return body.begin(signature);
    }

    /**
     * Begins the body as {@link #body(Signature)} does.
     *
     * @param signature the types of the values
     * @return the writer of the body
     */
    public BodyWriter body(String signature) {
        return body(Signature.of(signature));
    }

    /**
     * Writes a marshalled body.
     *
     * @throws IllegalStateException if this message is big-endian: a marshalled body is
     *     little-endian
     */
    public MessageWriter body(MarshalledBody marshalled) {
        if (order != ByteOrder.LITTLE_ENDIAN) {
            throw new IllegalStateException("a little-endian body in a big-endian message");
        }
        BodyWriter empty = body(marshalled.signature());
        buffer.putBytes(marshalled.bytes());
        return empty.begin(Signature.EMPTY).end();
    }

    /**
     * Completes the message.
     *
     * @return the bytes of the message, valid until the next message is begun
     * @throws IllegalStateException if the message has no serial, or its body lacks values
     */
    public MemorySegment finish() {
        started();
        if (bodyStart == NO_BODY) {
            endFields();
        } else {
            body.requireComplete();
        }
        buffer.patchInt(4, buffer.length() - bodyStart);
        MemorySegment bytes = buffer.memory();
        if (bytes.get(JAVA_INT_UNALIGNED, 8) == 0) {
            throw new IllegalStateException("a message without serial");
        }
        return bytes;
    }

    private void endFields() {
        started();
        if (bodyStart != NO_BODY) {
            throw new IllegalStateException("the message has its body already");
        }
        int fields = buffer.length() - MessageView.FIXED_LENGTH;
        if (fields > WireLimits.MAX_ARRAY) {
            throw new IllegalArgumentException("a header of " + fields + " bytes, over 2^26");
        }
        buffer.patchInt(12, fields);
        buffer.align(8);
        bodyStart = buffer.length();
    }

    /** Begins a field that a message has at most once. */
    private WireBuffer once(int code, int type) {
        if ((given & 1 << code) != 0) {
            throw new IllegalStateException(HeaderField.nameOf(code) + " a second time");
        }
        WireBuffer begun = field(code, type);
        given |= 1 << code;
        return begun;
    }

    private MessageWriter name(int code, String name, Predicate<String> syntax) {
        return text(code, name, syntax.test(name));
    }

    private MessageWriter text(int code, String text, boolean valid) {
        if (!valid) {
            throw new IllegalArgumentException(
                    "not valid as " + HeaderField.nameOf(code) + ": '" + text + "'");
        }
        once(code, HeaderField.typeOf(code)).putText(text);
        return this;
    }

    /**
     * Begins a header field of any code; the caller writes its value, whose type has one letter,
     * next.
     */
    WireBuffer field(int code, int type) {
        started();
        if (bodyStart != NO_BODY) {
            throw new IllegalStateException(HeaderField.nameOf(code) + " after the body");
        }
        buffer.align(8);
        buffer.putByte(code);
        buffer.putByte(1);
        buffer.putByte(type);
        buffer.putByte(0);
        return buffer;
    }

    private void started() {
        if (buffer.length() == 0) {
            throw new IllegalStateException("no message was begun");
        }
    }
}
