package io.holdfast.bus.driver;

import io.holdfast.bus.account.BusErrorException;
import io.holdfast.bus.connection.Connection;
import io.holdfast.dbus.marshal.MessageView;
import io.holdfast.dbus.wire.Signature;

/**
 * One method of the bus.
 *
 * @param in the signature that a call must have
 * @param out the signature of its reply
 * @param anywhere whether it answers at any path, as the methods older than specification 0.26 do
 */
record DriverMethod(
        String interfaceName,
        String member,
        Signature in,
        Signature out,
        boolean anywhere,
        Handler handler) {
    /** Answers a call, or throws the error to answer with. */
    @FunctionalInterface
    interface Handler {
        void call(Connection from, MessageView call) throws BusErrorException;
    }

    DriverMethod(
            String interfaceName,
            String member,
            String in,
            String out,
            boolean anywhere,
            Handler handler) {
        this(interfaceName, member, Signature.of(in), Signature.of(out), anywhere, handler);
    }
}
