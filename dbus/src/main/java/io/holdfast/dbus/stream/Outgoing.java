package io.holdfast.dbus.stream;

import static java.util.Objects.requireNonNull;

import io.holdfast.core.Fd;
import io.holdfast.dbus.marshal.MarshalledBody;
import io.holdfast.dbus.marshal.MessageWriter;
import io.holdfast.dbus.marshal.Values;
import io.holdfast.dbus.wire.Handle;
import io.holdfast.dbus.wire.Message;
import io.holdfast.dbus.wire.MessageFlags;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * A message that is to be sent: its bytes, and the descriptors among its values, which are lent.
 *
 * @param bytes the bytes, with the serial
 */
@SuppressWarnings("ArrayRecordComponent") // never compared: made and sent once
public record Outgoing(byte[] bytes, List<Fd> descriptors) {
    /** Begins the message in a writer. */
    private interface Header {
        MessageWriter begin(MessageWriter writer);
    }

    /**
     * Returns a method call, made for a serial.
     *
     * @param destination the bus name of the receiver; empty without a bus
     * @param values the values, in which an {@link Fd} may stand for a handle; or a single {@link
     *     MarshalledBody}
     * @throws IllegalArgumentException when it is made, if the values do not fit the signature, or
     *     a name is invalid
     */
    public static IntFunction<Outgoing> call(
            String destination,
            String path,
            String interfaceName,
            String method,
            int flags,
            Signature signature,
            List<?> values) {
        return serial ->
                of(
                        writer -> writer.methodCall(path, interfaceName, method),
                        flags,
                        serial,
                        destination.isEmpty() ? null : destination,
                        signature,
                        values);
    }

    /**
     * Returns a signal, made for a serial, like {@link #call}.
     *
     * @param destination the bus name of the receiver; empty to broadcast
     */
    public static IntFunction<Outgoing> signal(
            String destination,
            String path,
            String interfaceName,
            String signal,
            Signature signature,
            List<?> values) {
        return serial ->
                of(
                        writer -> writer.signal(path, interfaceName, signal),
                        0,
                        serial,
                        destination.isEmpty() ? null : destination,
                        signature,
                        values);
    }

    /**
     * Returns the reply to a call, made for a serial, like {@link #call}.
     *
     * @param error the name of the error; null for a return
     */
    public static IntFunction<Outgoing> reply(
            Message call, @Nullable String error, Signature signature, List<?> values) {
        return serial ->
                of(
                        writer ->
                                error == null
                                        ? writer.methodReturn(call.serial())
                                        : writer.error(error, call.serial()),
                        MessageFlags.NO_REPLY_EXPECTED,
                        serial,
                        call.sender(),
                        signature,
                        values);
    }

    private static Outgoing of(
            Header header,
            int flags,
            int serial,
            @Nullable String destination,
            Signature signature,
            List<?> values) {
        List<Fd> descriptors = new ArrayList<>();
        List<Object> plain = new ArrayList<>(values.size());
        for (Object value : values) {
            plain.add(withoutDescriptors(value, descriptors));
        }
        MessageWriter writer = header.begin(new MessageWriter()).flags(flags).serial(serial);
        if (destination != null) {
            writer.destination(destination);
        }
        writer.unixFds(descriptors.size());
        if (values.size() == 1 && values.getFirst() instanceof MarshalledBody body) {
            if (!signature.equals(body.signature())) {
                throw new IllegalArgumentException(body + " where '" + signature + "' is due");
            }
            writer.body(body);
        } else if (signature.equals(Signature.EMPTY)) {
            if (!plain.isEmpty()) {
                throw new IllegalArgumentException(plain.size() + " values where none is taken");
            }
        } else {
            Values.writeAll(writer.body(signature), plain);
        }
        return new Outgoing(writer.finish().toArray(ValueLayout.JAVA_BYTE), descriptors);
    }

    /**
     * Returns the arguments of a call or signal as a list; a null in it is reported later, with its
     * position.
     */
    public static List<Object> values(@Nullable Object[] arguments) {
        return Collections.unmodifiableList(
                Arrays.asList(requireNonNull(arguments, "arguments").clone()));
    }

    /** Returns the value with handles in place of descriptors, and adds these to the list. */
    private static @Nullable Object withoutDescriptors(@Nullable Object value, List<Fd> noted) {
        return switch (value) {
            case null -> null; // refused when it is written, with its position
            case Fd fd -> {
                noted.add(fd);
                yield new Handle(noted.size() - 1);
            }
            case Variant(Signature type, Object inner) ->
                    new Variant(type, requireNonNull(withoutDescriptors(inner, noted)));
            case Struct(List<Object> members) ->
                    new Struct(members.stream().map(m -> withoutDescriptors(m, noted)).toList());
            case List<?> list when mayHoldDescriptors(list) ->
                    list.stream().map(m -> withoutDescriptors(m, noted)).toList();
            case Map<?, ?> map -> {
                Map<Object, Object> plain = new LinkedHashMap<>();
                map.forEach((k, v) ->
                        plain.put(withoutDescriptors(k, noted), withoutDescriptors(v, noted)));
                yield plain;
            }
            default -> value;
        };
    }

    /**
     * Returns whether the list may contain descriptors: long lists of strings and numbers need no
     * copy.
     */
    private static boolean mayHoldDescriptors(List<?> list) {
        for (Object element : list) {
            if (!(element instanceof String
                    || element instanceof Number
                    || element instanceof Boolean)) {
                return true;
            }
        }
        return false;
    }

    /** Returns the descriptors among values. */
    public static List<Fd> descriptorsOf(List<?> values) {
        List<Fd> found = new ArrayList<>();
        values.forEach(value -> withoutDescriptors(value, found));
        return found;
    }

    /**
     * Returns duplicates of all descriptors, or throws and keeps none if one cannot be duplicated.
     */
    public static List<Fd> duplicates(List<Fd> descriptors) {
        List<Fd> copies = new ArrayList<>();
        try {
            for (Fd descriptor : descriptors) {
                copies.add(descriptor.duplicate());
            }
            return copies;
        } catch (RuntimeException e) {
            copies.forEach(Fd::close);
            throw e;
        }
    }
}
