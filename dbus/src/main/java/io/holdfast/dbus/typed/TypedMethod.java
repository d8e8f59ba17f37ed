package io.holdfast.dbus.typed;

import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.MethodCall;
import io.holdfast.dbus.typed.value.Descriptors;
import io.holdfast.dbus.typed.value.UnfitException;
import io.holdfast.dbus.wire.Message;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A Java method that is a D-Bus method.
 *
 * @param subject its name in error messages, as {@code Calculator.add}
 * @param member its D-Bus name
 * @param in the arguments
 * @param async whether it returns a stage of the result
 * @param noReply whether callers expect no reply
 */
record TypedMethod(
        Method method,
        String subject,
        String member,
        List<Slot> in,
        Result result,
        boolean async,
        boolean noReply) {

    /** Returns the D-Bus types of the arguments. */
    String inSignature() {
        StringBuilder types = new StringBuilder();
        in.forEach(slot -> types.append(slot.type().signature()));
        return types.toString();
    }

    /** Returns the names of arguments and outputs, for introspection. */
    String[] names() {
        List<String> names = new ArrayList<>();
        in.forEach(slot -> names.add(slot.name()));
        names.addAll(result.names());
        return names.toArray(String[]::new);
    }

    /**
     * Converts a proxy's arguments to the plain values to send.
     *
     * @throws NullPointerException if an argument is null
     * @throws IllegalArgumentException if an argument does not fit its type
     */
    Object[] arguments(Object[] given) {
        Object[] plain = new Object[in.size()];
        try {
            for (int i = 0; i < plain.length; i++) {
                plain[i] = in.get(i).toWire(given[i]);
            }
        } catch (UnfitException e) {
            throw e.toCallerException(subject);
        }
        return plain;
    }

    /**
     * Converts the arguments of a received call to those of an implementation.
     *
     * @throws DBusException INVALID_ARGS if an argument does not fit its Java type
     */
    Object[] arguments(MethodCall call) {
        Object[] values = new Object[in.size()];
        try {
            for (int i = 0; i < values.length; i++) {
                values[i] = in.get(i).toJava(call.arguments().get(i), call::descriptor);
            }
        } catch (UnfitException e) {
            throw new DBusException(DBusException.INVALID_ARGS, subject + ": " + e.text());
        }
        return values;
    }

    /**
     * Converts the return value of an implementation to the plain values of the reply. The
     * connection owns the descriptors in it: this method closes them if the value is refused.
     *
     * @throws NullPointerException if the value or a part of it is null
     * @throws IllegalArgumentException if it does not fit its type
     */
    List<Object> reply(@Nullable Object returned) {
        try {
            return result.toWire(returned);
        } catch (UnfitException e) {
            result.discard(returned);
            throw e.toCallerException(subject);
        } catch (RuntimeException | Error e) {
            result.discard(returned);
            throw e;
        }
    }

    /**
     * Converts a reply to the return value of a proxy.
     *
     * @throws DBusException INCONSISTENT_MESSAGE if the reply does not fit the interface
     */
    @Nullable Object returned(Message reply, Descriptors descriptors) {
        String expected = result.signature();
        if (!reply.signature().toString().equals(expected)) {
            throw inconsistent(
                    "the reply is of \"%s\", and not \"%s\""
                            .formatted(reply.signature(), expected));
        }
        try {
            return result.toJava(reply.values(), descriptors);
        } catch (UnfitException e) {
            throw inconsistent(e.text());
        }
    }

    private DBusException inconsistent(String how) {
        return new DBusException(DBusException.INCONSISTENT_MESSAGE, subject + ": " + how);
    }
}
