package io.holdfast.dbus;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.dbus.wire.Message;

/** The calls of others that wait or run: how many, and how long together. Thread-safe. */
final class CallsUnderWay {
    private final ConnectionOptions limits;

    @GuardedBy("this")
    private int calls;

    @GuardedBy("this")
    private long bytes;

    CallsUnderWay(ConnectionOptions limits) {
        this.limits = limits;
    }

    /**
     * @throws DBusException LIMITS_EXCEEDED if it would be one too many, or too long beside others
     */
    synchronized void requireRoom(Message call) {
        if (calls >= limits.incomingCalls()) {
            throw new DBusException(
                    DBusException.LIMITS_EXCEEDED, calls + " calls are under way already");
        }
        if (calls > 0 && bytes + call.length() > limits.incomingBytes()) {
            throw new DBusException(
                    DBusException.LIMITS_EXCEEDED,
                    "calls of %d bytes are under way already; the limit is %d"
                            .formatted(bytes, limits.incomingBytes()));
        }
    }

    synchronized Counted begin(Message call) {
        calls++;
        bytes += call.length();
        return new Counted(call.length());
    }

    /** A call that counts, until it ends: before its answer is under way, or without one. */
    final class Counted {
        private final int length;

        @GuardedBy("CallsUnderWay.this")
        private boolean over;

        private Counted(int length) {
            this.length = length;
        }

        /** Idempotent. */
        void end() {
            synchronized (CallsUnderWay.this) {
                if (!over) {
                    over = true;
                    calls--;
                    bytes -= length;
                }
            }
        }
    }
}
