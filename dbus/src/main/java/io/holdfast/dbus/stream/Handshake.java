package io.holdfast.dbus.stream;

import io.holdfast.dbus.wire.sasl.SaslClient;
import io.holdfast.dbus.wire.sasl.SaslServer;
import java.lang.foreign.MemorySegment;

/** One side of an authentication. */
public sealed interface Handshake {
    /** Returns the bytes to send before anything is received. */
    byte[] opening();

    int read(MemorySegment bytes, long offset, int length);

    /** Returns the bytes to send now. */
    byte[] takeAnswers();

    boolean isDone();

    /** Returns why the other side is refused; empty if it is accepted or not decided yet. */
    String refusal();

    String guid();

    boolean descriptorsAgreed();

    record Client(SaslClient sasl) implements Handshake {
        @Override
        public byte[] opening() {
            return sasl.opening();
        }

        @Override
        public int read(MemorySegment bytes, long offset, int length) {
            return sasl.read(bytes, offset, length);
        }

        @Override
        public byte[] takeAnswers() {
            return new byte[0];
        }

        @Override
        public boolean isDone() {
            return sasl.state() == SaslClient.State.DONE;
        }

        @Override
        public String refusal() {
            return sasl.refusal();
        }

        @Override
        public String guid() {
            return sasl.guid();
        }

        @Override
        public boolean descriptorsAgreed() {
            return sasl.descriptorsAgreed();
        }
    }

    record Server(SaslServer sasl, String guid) implements Handshake {
        @Override
        public byte[] opening() {
            return new byte[0];
        }

        @Override
        public int read(MemorySegment bytes, long offset, int length) {
            return sasl.read(bytes, offset, length);
        }

        @Override
        public byte[] takeAnswers() {
            return sasl.takeAnswers();
        }

        @Override
        public boolean isDone() {
            return sasl.state() == SaslServer.State.BEGUN;
        }

        @Override
        public String refusal() {
            return sasl.refusal();
        }

        @Override
        public boolean descriptorsAgreed() {
            return sasl.descriptorsAgreed();
        }
    }
}
