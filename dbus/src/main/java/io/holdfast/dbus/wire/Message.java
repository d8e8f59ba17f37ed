package io.holdfast.dbus.wire;

import io.holdfast.core.Fd;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A received message: its header and body, and its descriptors until a caller takes them. Immutable
 * except for the descriptors. Programs do not implement it; later versions may add methods.
 */
public interface Message extends AutoCloseable {
    /** {@return the length of the whole received message in bytes: header, padding and body} */
    int length();

    /** {@return one of {@link MessageType}, or another number up to 255} */
    int type();

    /** {@return the bits of {@link MessageFlags}} */
    int flags();

    /**
     * {@return whether a flag is set}
     *
     * @param flag one of {@link MessageFlags}
     */
    boolean hasFlag(int flag);

    /** {@return the serial, unsigned, not 0} */
    int serial();

    /**
     * {@return the serial of the call to which this message replies, unsigned; 0 if there is none}
     */
    int replySerial();

    /**
     * {@return the object of the call, or the object that sends the signal; null if absent, as in
     * replies}
     */
    @Nullable String path();

    /** {@return the interface of the call or signal; null if absent: a call may leave it out} */
    @Nullable String interfaceName();

    /** {@return the name of the method or signal; null if absent, as in replies} */
    @Nullable String member();

    /** {@return the name of the error; null if absent, as in messages that are no errors} */
    @Nullable String errorName();

    /** {@return the bus name of the receiver; null in a broadcast, and without a bus} */
    @Nullable String destination();

    /** {@return the unique name of the sender, set by the bus; null without a bus} */
    @Nullable String sender();

    /** {@return the types of the body, empty if it has none} */
    Signature signature();

    /**
     * {@return the body as plain Java values}
     *
     * <pre>
     * y Byte   n Short   q i Integer   u x t Long (t: its 64 bits)   b Boolean   d Double
     * s String   o {@link ObjectPath}   g {@link Signature}   h {@link Handle}   v {@link Variant}
     * a… List   ay byte[]   a{…} Map in the order of the message   (…) {@link Struct}
     * </pre>
     *
     * <p>For the arguments of a call or a signal, a number may be any Byte, Short, Integer or Long
     * in the range of its type (for {@code y} 0 to 255 or a Byte; for {@code t} a Long stands for
     * its 64 bits), an object path may be a String, and a struct a List.
     */
    List<Object> values();

    /** {@return the descriptors that were not taken; the message still owns them} */
    List<Fd> descriptors();

    /** {@return the descriptors, which the caller owns from now on; the message keeps none} */
    List<Fd> takeDescriptors();

    /** Closes the descriptors that were not taken. */
    @Override
    void close();
}
