package io.holdfast.dbus.wire.sasl;

import com.google.errorprone.annotations.CheckReturnValue;
import io.holdfast.dbus.marshal.WireLimits;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/**
 * The client side of the authentication. It sends everything at once ({@link #opening}), and checks
 * the server's answers afterwards, in whatever pieces they arrive. It does no I/O.
 *
 * <p>No input from a server makes it throw. Not safe for use by several threads at once. D-Bus
 * Specification, "Authentication Protocol".
 */
public final class SaslClient {
    /** The authentication mechanism. */
    public enum Mechanism {
        /** Authenticates as the user that the kernel reports for the socket. */
        EXTERNAL,
        /** Authenticates without an identity. */
        ANONYMOUS
    }

    /** The state of the authentication. */
    public enum State {
        /** Waits for answers of the server. */
        WAITING,
        /** The server accepted: messages follow. */
        DONE,
        /** The server refused, or sent an invalid answer. */
        REFUSED
    }

    private enum Step {
        DATA,
        OK,
        DESCRIPTORS
    }

    private final Mechanism mechanism;
    private final boolean negotiateDescriptors;
    private final Optional<String> expectedGuid;
    private final SaslLine line = new SaslLine();
    private State state = State.WAITING;
    private Step step;
    private String guid = "";
    private boolean descriptors;
    private String refusal = "";

    /**
     * Makes the client side of one authentication.
     *
     * @param negotiateDescriptors whether to negotiate passing of descriptors; a server may decline
     * @param expectedGuid the GUID that the server must have, if the address has one
     */
    public SaslClient(
            Mechanism mechanism, boolean negotiateDescriptors, Optional<String> expectedGuid) {
        this.mechanism = mechanism;
        this.negotiateDescriptors = negotiateDescriptors;
        this.expectedGuid = expectedGuid;
        this.step = mechanism == Mechanism.EXTERNAL ? Step.DATA : Step.OK;
    }

    /** {@return all bytes that the client sends; messages may follow them at once} */
    public byte[] opening() {
        String auth =
                mechanism == Mechanism.EXTERNAL
                        ? "\0AUTH EXTERNAL\r\nDATA\r\n"
                        : "\0AUTH ANONYMOUS\r\n";
        String negotiate = negotiateDescriptors ? "NEGOTIATE_UNIX_FD\r\n" : "";
        return (auth + negotiate + "BEGIN\r\n").getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * Reads bytes from the server.
     *
     * @param offset the offset of the first byte
     * @param length the number of bytes
     * @return the number of bytes used: all of them, unless the state became {@link State#DONE}:
     *     then the rest are bytes of messages
     */
    @CheckReturnValue
    public int read(MemorySegment bytes, long offset, int length) {
        int used = 0;
        while (used < length && state == State.WAITING) {
            used += line.read(bytes, offset + used, length - used);
            if (line.isTooLong()) {
                refuse("the server sent a line of more than " + WireLimits.MAX_LINE + " bytes");
            } else if (line.isComplete()) {
                handle(line.take());
            }
        }
        return state == State.REFUSED ? length : used;
    }

    private void handle(String text) {
        int space = text.indexOf(' ');
        String command = space < 0 ? text : text.substring(0, space);
        String argument = space < 0 ? "" : SaslLine.trim(text.substring(space));
        if (command.equals("REJECTED") && step != Step.DESCRIPTORS) {
            refuse(
                    "the server rejects "
                            + mechanism
                            + " and offers "
                            + (argument.isEmpty() ? "nothing" : SaslServer.shown(argument)));
            return;
        }
        boolean expected =
                switch (step) {
                    case DATA -> command.equals("DATA") && argument.isEmpty();
                    case OK -> command.equals("OK");
                    case DESCRIPTORS -> command.equals("AGREE_UNIX_FD") || command.equals("ERROR");
                };
        if (!expected) {
            refuse(
                    "the server answered "
                            + SaslServer.shown(text)
                            + " where "
                            + expectedReply()
                            + " was expected");
            return;
        }
        switch (step) {
            case DATA -> step = Step.OK;
            case OK -> ok(argument);
            case DESCRIPTORS -> {
                descriptors = command.equals("AGREE_UNIX_FD");
                state = State.DONE;
            }
        }
    }

    private String expectedReply() {
        return switch (step) {
            case DATA -> "DATA";
            case OK -> "OK";
            case DESCRIPTORS -> "AGREE_UNIX_FD or ERROR";
        };
    }

    private void ok(String id) {
        String lower = id.toLowerCase(Locale.ROOT);
        if (!SaslServer.isGuid(lower)) {
            refuse("the server's id is not 32 hexadecimal digits: " + SaslServer.shown(id));
        } else if (expectedGuid.isPresent()
                && !expectedGuid.get().toLowerCase(Locale.ROOT).equals(lower)) {
            refuse("the server's id is " + lower + " and not " + expectedGuid.get());
        } else {
            guid = lower;
            step = Step.DESCRIPTORS;
            if (!negotiateDescriptors) {
                state = State.DONE;
            }
        }
    }

    private void refuse(String reason) {
        state = State.REFUSED;
        refusal = reason;
    }

    /** {@return the state: {@link State#WAITING} at first} The other two states are final. */
    public State state() {
        return state;
    }

    /** {@return why the server is refused; empty if it is accepted, or not decided yet} */
    public String refusal() {
        return refusal;
    }

    /** {@return the GUID of the server address; empty until the server accepted} */
    public String guid() {
        return guid;
    }

    /** {@return whether the server agreed to pass descriptors} */
    public boolean descriptorsAgreed() {
        return descriptors;
    }
}
