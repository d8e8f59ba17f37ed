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
 * A method of an interface that is a D-Bus method.
 *
 * @param method the method in Java
 * @param subject what it is called in errors, as {@code Calculator.add}
 * @param member its D-Bus name
 * @param in its arguments
 * @param result what it returns
 * @param async whether what it returns is a stage of that
 * @param noReply whether callers want no reply
 */
record TypedMethod(
        Method method,
        String subject,
        String member,
        List<Slot> in,
        Result result,
        boolean async,
        boolean noReply) {

    /** The types of its arguments. */
    String inSignature() {
        StringBuilder types = new StringBuilder();
        in.forEach(slot -> types.append(slot.type().signature()));
        return types.toString();
    }

    /** The names of arguments and outputs, for introspection. */
    String[] names() {
        List<String> names = new ArrayList<>();
        in.forEach(slot -> names.add(slot.name()));
        names.addAll(result.names());
        return names.toArray(String[]::new);
    }

    /**
     * What a proxy sends.
     *
     * @throws NullPointerException if one is null
     * @throws IllegalArgumentException if one does not fit
     */
    Object[] arguments(Object[] given) {
        Object[] plain = new Object[in.size()];
        try {
            for (int i = 0; i < plain.length; i++) {
                plain[i] = in.get(i).toWire(given[i]);
            }
        } catch (UnfitException e) {
            throw e.toGiver(subject);
        }
        return plain;
    }

    /**
     * What an implementation is given.
     *
     * @throws DBusException INVALID_ARGS if it has no place for an argument
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
     * What an implementation returned, for the reply. Its descriptors were given away: they are
     * closed if it is refused.
     *
     * @throws NullPointerException if it or a part of it is null
     * @throws IllegalArgumentException if it does not fit
     */
    List<Object> reply(@Nullable Object returned) {
        try {
            return result.toWire(returned);
        } catch (RuntimeException e) {
            result.discard(returned);
            throw e instanceof UnfitException unfit ? unfit.toGiver(subject) : e;
        }
    }

    /**
     * What a proxy returns for a reply.
     *
     * @throws DBusException INCONSISTENT_MESSAGE if that is not what the interface says
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
