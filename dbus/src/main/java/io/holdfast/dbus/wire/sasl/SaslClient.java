package io.holdfast.dbus.wire.sasl;

import com.google.errorprone.annotations.CheckReturnValue;
import io.holdfast.dbus.wire.WireLimits;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Optional;

/**
 * The client's side of the authentication: all of it is sent at once ({@link #opening}), and the
 * answers, in whatever pieces they come, are checked afterwards. It does no I/O.
 *
 * <p>Nothing throws on what a server sends. Not safe for use by several threads at once. D-Bus
 * Specification, "Authentication Protocol".
 */
public final class SaslClient {
    /** How the client authenticates. */
    public enum Mechanism {
        /** As the user that the kernel says we are. */
        EXTERNAL,
        /** As nobody. */
        ANONYMOUS
    }

    /** How far the server is. */
    public enum State {
        /** Answers are awaited. */
        WAITING,
        /** The server agreed: what follows is messages. */
        DONE,
        /** The server refused, or answered what it may not. */
        REFUSED
    }

    private enum Step {
        DATA,
        OK,
        DESCRIPTORS
    }

    private final Mechanism mechanism;
    private final boolean askDescriptors;
    private final Optional<String> expectedGuid;
    private final SaslLine line = new SaslLine();
    private State state = State.WAITING;
    private Step step;
    private String guid = "";
    private boolean descriptors;
    private String refusal = "";

    /**
     * Begins the dialog with a server.
     *
     * @param mechanism how to authenticate
     * @param askDescriptors whether to ask for descriptors to be passed; a server may say no
     * @param expectedGuid the id that the server must have, if the address named one
     */
    public SaslClient(Mechanism mechanism, boolean askDescriptors, Optional<String> expectedGuid) {
        this.mechanism = mechanism;
        this.askDescriptors = askDescriptors;
        this.expectedGuid = expectedGuid;
        this.step = mechanism == Mechanism.EXTERNAL ? Step.DATA : Step.OK;
    }

    /** {@return all that the client sends; messages may follow it at once} */
    public byte[] opening() {
        String auth =
                mechanism == Mechanism.EXTERNAL
                        ? "\0AUTH EXTERNAL\r\nDATA\r\n"
                        : "\0AUTH ANONYMOUS\r\n";
        String negotiate = askDescriptors ? "NEGOTIATE_UNIX_FD\r\n" : "";
        return (auth + negotiate + "BEGIN\r\n").getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * Reads bytes from the server.
     *
     * @param bytes the bytes
     * @param offset where the bytes start
     * @param length how many bytes
     * @return how many were used: all of them, unless the state became {@link State#DONE}, when the
     *     rest are bytes of messages
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

    /**
     * The same from an array.
     *
     * @param bytes the bytes
     * @param offset where the bytes start
     * @param length how many bytes
     * @return how many were used
     */
    @CheckReturnValue
    public int read(byte[] bytes, int offset, int length) {
        return read(MemorySegment.ofArray(bytes), offset, length);
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
                            + expectedNow()
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

    private String expectedNow() {
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
            if (!askDescriptors) {
                state = State.DONE;
            }
        }
    }

    private void refuse(String reason) {
        state = State.REFUSED;
        refusal = reason;
    }

    /** {@return the state: {@link State#WAITING} at first} The other two are final. */
    public State state() {
        return state;
    }

    /** {@return why the server is not accepted; empty if it is, or may be} */
    public String refusal() {
        return refusal;
    }

    /** {@return the id of the address that the server listens on; empty until it agreed} */
    public String guid() {
        return guid;
    }

    /** {@return whether descriptors can be passed} */
    public boolean descriptorsAgreed() {
        return descriptors;
    }
}
