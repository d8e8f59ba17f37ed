package io.holdfast.dbus.wire.sasl;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import com.google.errorprone.annotations.CheckReturnValue;
import io.holdfast.dbus.marshal.WireLimits;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The server side of the authentication: a state machine that reads a client's bytes, in whatever
 * pieces they arrive, and produces the answers. It does no I/O.
 *
 * <pre>{@code
 * SaslServer sasl = new SaslServer(SaslServer.Config.of(guid, OptionalLong.of(peer.uid())));
 * int used = sasl.read(buffer, 0, received);
 * send(sasl.takeAnswers());
 * switch (sasl.state()) {
 *     case BEGUN -> messages(buffer, used, received - used); // a message may follow BEGIN
 *     case REFUSED -> close(sasl.refusal());
 *     case AUTHENTICATING -> {} // wait for more lines
 * }
 * }</pre>
 *
 * <p>Lines may be pipelined. No input from a client makes it throw. Not safe for use by several
 * threads at once. D-Bus Specification, "Authentication Protocol".
 */
public final class SaslServer {
    /** The state of the authentication. */
    public enum State {
        /** Waits for lines of the client. */
        AUTHENTICATING,
        /** The client sent BEGIN: messages follow. */
        BEGUN,
        /** The connection must be closed once the answers are sent. */
        REFUSED
    }

    /**
     * What a server offers to one client.
     *
     * @param guid the GUID of the server address: 32 lower-case hexadecimal digits
     * @param external whether to offer the mechanism EXTERNAL, in which the client is the user that
     *     the kernel reports
     * @param anonymous whether to offer the mechanism ANONYMOUS, in which the client has no
     *     identity
     * @param uid the user of the client, as the kernel reports it; if empty, EXTERNAL is rejected
     * @param descriptors whether descriptors can be passed
     * @param rejectionLimit the number of REJECTED answers after which the client is refused
     * @param lineLimit the number of lines after which a client that did not send BEGIN is refused
     */
    public record Config(
            String guid,
            boolean external,
            boolean anonymous,
            OptionalLong uid,
            boolean descriptors,
            int rejectionLimit,
            int lineLimit) {
        /** The number of REJECTED answers that the reference bus sends. */
        public static final int DEFAULT_REJECTIONS = 6;

        /** More than any client needs, and few enough for the answers to stay small. */
        public static final int DEFAULT_LINES = 256;

        /**
         * Checks the GUID and the limits.
         *
         * @throws IllegalArgumentException if the GUID is malformed, or a limit is not positive
         */
        public Config {
            if (!isGuid(guid)) {
                throw new IllegalArgumentException(
                        "not an id of 32 lower-case hexadecimal digits: " + guid);
            }
            if (rejectionLimit < 1 || lineLimit < 1) {
                throw new IllegalArgumentException("a limit of authentication below 1");
            }
        }

        /**
         * Offers only EXTERNAL, with descriptors and the default limits.
         *
         * @param guid the GUID of the server address
         * @param uid the user of the client, as the kernel reports it; empty if it is not known
         * @return the configuration
         */
        public static Config of(String guid, OptionalLong uid) {
            return new Config(guid, true, false, uid, true, DEFAULT_REJECTIONS, DEFAULT_LINES);
        }

        private String mechanisms() {
            return (external ? " EXTERNAL" : "") + (anonymous ? " ANONYMOUS" : "");
        }
    }

    /** The line that is expected next. */
    private enum Step {
        NUL,
        AUTH,
        DATA,
        BEGIN
    }

    private static final int SHOWN_OF_LINE = 64;
    private static final int GUID_DIGITS = 32;

    private final Config config;
    private final SaslLine line = new SaslLine();
    private byte[] answers = {};
    private int answersLength;
    private State state = State.AUTHENTICATING;
    private Step step = Step.NUL;
    private boolean anonymous;
    private boolean descriptors;
    private int lines;
    private int rejections;
    private String lastRejection = "";
    private String refusal = "";

    /**
     * Makes the server side of one authentication.
     *
     * @param config what to offer to this client; each connection has its own SaslServer
     */
    public SaslServer(Config config) {
        this.config = config;
    }

    /**
     * Reads bytes from the client.
     *
     * @param offset the offset of the first byte
     * @param length the number of bytes
     * @return the number of bytes used: all of them, unless the state became {@link State#BEGUN}:
     *     then the rest are bytes of messages
     */
    @CheckReturnValue
    public int read(MemorySegment bytes, long offset, int length) {
        int used = 0;
        while (used < length && state == State.AUTHENTICATING) {
            if (step == Step.NUL) {
                begin(bytes.get(JAVA_BYTE, offset + used++));
                continue;
            }
            used += line.read(bytes, offset + used, length - used);
            if (line.isTooLong()) {
                refuse("a line of more than " + WireLimits.MAX_LINE + " bytes");
            } else if (line.isComplete()) {
                handle(line.take());
            }
        }
        return state == State.REFUSED ? length : used;
    }

    private void begin(byte first) {
        if (first == 0) {
            step = Step.AUTH;
        } else {
            refuse(
                    "the first byte is 0x%02x and not NUL: not a D-Bus client?"
                            .formatted(first & 0xFF));
        }
    }

    private void handle(String text) {
        if (++lines > config.lineLimit) {
            refuse(config.lineLimit + " lines without BEGIN");
            return;
        }
        int space = text.indexOf(' ');
        String command = space < 0 ? text : text.substring(0, space);
        String argument = space < 0 ? "" : SaslLine.trim(text.substring(space));
        boolean bare = space < 0;
        switch (step) {
            case DATA -> inData(command, argument, bare);
            case BEGIN -> inBegin(command, argument, bare);
            case NUL, AUTH -> inAuth(command, argument, bare);
        }
    }

    private void inAuth(String command, String argument, boolean bare) {
        if (command.equals("AUTH")) {
            auth(argument);
        } else if (command.equals("ERROR")) {
            rejectErroneous(argument);
        } else if (command.equals("BEGIN") && bare) {
            refuseToBegin();
        } else {
            notUnderstood();
        }
    }

    private void inData(String command, String argument, boolean bare) {
        if (command.equals("DATA")) {
            external(argument);
        } else if (command.equals("CANCEL") && bare) {
            reject("the client gave up");
        } else if (command.equals("ERROR")) {
            rejectErroneous(argument);
        } else if (command.equals("BEGIN") && bare) {
            refuseToBegin();
        } else {
            notUnderstood();
        }
    }

    private void inBegin(String command, String argument, boolean bare) {
        if (command.equals("BEGIN") && bare) {
            state = State.BEGUN;
        } else if (command.equals("NEGOTIATE_UNIX_FD") && bare) {
            negotiate();
        } else if (command.equals("CANCEL") && bare) {
            reject("the client gave up");
        } else if (command.equals("ERROR")) {
            rejectErroneous(argument);
        } else {
            notUnderstood();
        }
    }

    private void rejectErroneous(String argument) {
        reject("the client reports an error: " + shown(argument));
    }

    private void notUnderstood() {
        answer("ERROR not understood here");
    }

    private void auth(String argument) {
        int space = argument.indexOf(' ');
        String mechanism = space < 0 ? argument : argument.substring(0, space);
        String response = space < 0 ? "" : SaslLine.trim(argument.substring(space));
        if (mechanism.equals("EXTERNAL") && config.external) {
            if (response.isEmpty()) {
                answer("DATA");
                step = Step.DATA;
            } else {
                external(response);
            }
        } else if (mechanism.equals("ANONYMOUS") && config.anonymous) {
            if (isHex(response)) {
                accept(true);
            } else {
                reject("ANONYMOUS with a trace that is not hexadecimal");
            }
        } else {
            reject(
                    mechanism.isEmpty()
                            ? "AUTH without a mechanism"
                            : "no mechanism " + shown(mechanism) + " here");
        }
    }

    /** Handles a response, which names the user, or is empty to accept the kernel's. */
    private void external(String response) {
        if (config.uid.isEmpty()) {
            reject("EXTERNAL by a client whose uid is unknown");
            return;
        }
        String uid = Long.toString(config.uid.getAsLong());
        if (response.isEmpty()) {
            accept(false);
        } else if (!isHex(response)) {
            reject("EXTERNAL with an identity that is not hexadecimal: " + shown(response));
        } else {
            byte[] claimed = HexFormat.of().parseHex(response);
            if (Arrays.equals(claimed, uid.getBytes(StandardCharsets.US_ASCII))) {
                accept(false);
            } else {
                String claim = new String(claimed, StandardCharsets.ISO_8859_1);
                reject("EXTERNAL as " + shown(claim) + " by user " + uid);
            }
        }
    }

    private void accept(boolean asAnonymous) {
        anonymous = asAnonymous;
        step = Step.BEGIN;
        answer("OK " + config.guid);
    }

    private void reject(String reason) {
        lastRejection = reason;
        descriptors = false;
        anonymous = false;
        step = Step.AUTH;
        answer("REJECTED" + config.mechanisms());
        if (++rejections >= config.rejectionLimit) {
            refuse(rejections + " rejected attempts, the last: " + reason);
        }
    }

    private void negotiate() {
        if (config.descriptors) {
            descriptors = true;
            answer("AGREE_UNIX_FD");
        } else {
            answer("ERROR descriptors cannot be passed here");
        }
    }

    private void refuseToBegin() {
        refuse(
                "BEGIN without authentication"
                        + (lastRejection.isEmpty() ? "" : ", after: " + lastRejection));
    }

    private void refuse(String reason) {
        state = State.REFUSED;
        refusal = reason;
    }

    private void answer(String text) {
        byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
        int end = answersLength + ascii.length;
        if (answers.length < end + 2) {
            answers = Arrays.copyOf(answers, Math.max(end + 2, 2 * answers.length));
        }
        System.arraycopy(ascii, 0, answers, answersLength, ascii.length);
        answers[end] = '\r';
        answers[end + 1] = '\n';
        answersLength = end + 2;
    }

    /**
     * {@return the state: {@link State#AUTHENTICATING} at first} The other two states are final.
     */
    public State state() {
        return state;
    }

    /**
     * {@return the answers since the last call, which must be sent: bounded by the limit on lines}
     */
    public byte[] takeAnswers() {
        byte[] taken = Arrays.copyOf(answers, answersLength);
        answersLength = 0;
        return taken;
    }

    /** {@return whether there are answers to send} */
    public boolean hasAnswers() {
        return answersLength > 0;
    }

    /** {@return why the client is refused, for logs; empty if it is not} */
    public String refusal() {
        return refusal;
    }

    /** {@return why the client's last attempt was rejected, for logs} */
    public Optional<String> lastRejection() {
        return lastRejection.isEmpty() ? Optional.empty() : Optional.of(lastRejection);
    }

    /** {@return whether the client negotiated passing of descriptors, and the server agreed} */
    public boolean descriptorsAgreed() {
        return descriptors;
    }

    /** {@return whether the client authenticated as ANONYMOUS} */
    public boolean isAnonymous() {
        return anonymous;
    }

    /**
     * {@return the user as which the client authenticated: empty before {@link State#BEGUN}, or if
     * ANONYMOUS}
     */
    public OptionalLong identity() {
        return state == State.BEGUN && !anonymous ? config.uid : OptionalLong.empty();
    }

    /**
     * {@return whether the text is a GUID as in D-Bus addresses: 32 lower-case hexadecimal digits}
     */
    public static boolean isGuid(String text) {
        return text.length() == GUID_DIGITS
                && text.chars().allMatch(c -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    }

    private static boolean isHex(String text) {
        return text.length() % 2 == 0 && text.chars().allMatch(HexFormat::isHexDigit);
    }

    /** Returns a peer's text in a form that is safe for logs. */
    static String shown(String text) {
        StringBuilder shown = new StringBuilder("\"");
        text.chars()
                .limit(SHOWN_OF_LINE)
                .forEach(c -> shown.append(c >= ' ' && c < 0x7F ? (char) c : '?'));
        return shown.append(text.length() > SHOWN_OF_LINE ? "…\"" : "\"").toString();
    }
}
