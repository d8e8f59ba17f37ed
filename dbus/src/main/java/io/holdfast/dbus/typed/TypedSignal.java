package io.holdfast.dbus.typed;

import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.typed.value.ReceivedDescriptors;
import io.holdfast.dbus.typed.value.RecordShape;
import io.holdfast.dbus.typed.value.UnfitException;
import io.holdfast.dbus.wire.Message;
import java.util.List;

/**
 * A signal: a record that is nested in its interface.
 *
 * @param subject its name in error messages, as {@code Clock.Tick}
 * @param interfaceName the D-Bus name of the interface
 * @param member its D-Bus name
 */
record TypedSignal(String subject, String interfaceName, String member, RecordShape shape) {
    private static final ClassValue<TypedSignal> KNOWN =
            new ClassValue<>() {
                @Override
                protected TypedSignal computeValue(Class<?> type) {
                    return read(type);
                }
            };

    /**
     * Returns the signal of a record.
     *
     * @throws IllegalArgumentException if the record is no valid signal, with the reason
     */
    static TypedSignal of(Class<?> type) {
        return KNOWN.get(type);
    }

    private static TypedSignal read(Class<?> type) {
        Class<?> around = type.getDeclaringClass();
        if (!type.isRecord() || around == null || !around.isInterface()) {
            throw new IllegalArgumentException(
                    type.getName() + ": a signal is a record, nested in its interface");
        }
        String subject = around.getSimpleName() + "." + type.getSimpleName();
        try {
            RecordShape shape = TypeReader.readRecord(type);
            var _ = shape.checkedSignature();
            return new TypedSignal(
                    subject, MemberNames.ofInterface(around), MemberNames.ofSignal(type), shape);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(subject + ": " + e.getMessage(), e);
        }
    }

    /**
     * Converts a signal that is to be sent to its plain arguments.
     *
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if an argument does not fit its type
     */
    List<Object> toWire(DBusSignal signal) {
        try {
            return shape.toWire(signal);
        } catch (UnfitException e) {
            throw e.toCallerException(subject);
        }
    }

    /**
     * Converts a received signal to its record, which owns the descriptors that it mentions; the
     * message is closed.
     *
     * @throws DBusException INCONSISTENT_MESSAGE if the signal does not fit the record
     */
    Object received(Message message) {
        try (message) {
            if (!message.signature().toString().equals(shape.signature())) {
                throw inconsistent(
                        "its signature is \"%s\", and not \"%s\""
                                .formatted(message.signature(), shape.signature()));
            }
            ReceivedDescriptors descriptors = new ReceivedDescriptors(message);
            Object signal = shape.toJava(message.values(), descriptors);
            descriptors.release();
            return signal;
        } catch (UnfitException e) {
            throw inconsistent(e.text());
        }
    }

    private DBusException inconsistent(String how) {
        return new DBusException(DBusException.INCONSISTENT_MESSAGE, subject + ": " + how);
    }
}
