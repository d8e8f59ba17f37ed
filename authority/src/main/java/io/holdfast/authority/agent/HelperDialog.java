package io.holdfast.authority.agent;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.authority.pam.Conversation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** The agent's side of the protocol of {@link HelperProtocol}; polkit's helpers speak it, too. */
final class HelperDialog {
    /** The maximum number of bytes of a line from a helper. */
    static final int MAX_LINE = 1 << 16;

    /** The maximum time for a helper to read a line. */
    private static final Duration WRITE_TIMEOUT = Duration.ofSeconds(30);

    private static final Duration FOR_EVER = Duration.ofNanos(Long.MAX_VALUE);

    private final ByteLink link;
    private final ByteBuffer waiting = ByteBuffer.allocate(MAX_LINE).flip();

    HelperDialog(ByteLink link) {
        this.link = link;
    }

    /** Sends the first lines to a helper. */
    void begin(String... lines) throws IOException, InterruptedException {
        for (String line : lines) {
            if (line.indexOf('\n') >= 0) {
                throw new IOException("a line for the helper has a line break");
            }
        }
        link.write(
                ByteBuffer.wrap((String.join("\n", lines) + "\n").getBytes(UTF_8)), WRITE_TIMEOUT);
    }

    /**
     * Reads the next line, however long the helper takes.
     *
     * @throws IOException if the helper ends without {@code SUCCESS} or {@code FAILURE}, or sends
     *     an unknown line
     */
    HelperLine next() throws IOException, InterruptedException {
        byte[] line = readLine();
        String text = new String(line, StandardCharsets.ISO_8859_1);
        int space = text.indexOf(' ');
        String tag = space < 0 ? text : text.substring(0, space);
        return switch (tag) {
            case HelperProtocol.ECHO_OFF -> new HelperLine.Prompt(textAfter(line, tag), false);
            case HelperProtocol.ECHO_ON -> new HelperLine.Prompt(textAfter(line, tag), true);
            case HelperProtocol.ERROR -> new HelperLine.Message(textAfter(line, tag), true);
            case HelperProtocol.INFO -> new HelperLine.Message(textAfter(line, tag), false);
            case HelperProtocol.SUCCESS -> new HelperLine.End(true);
            case HelperProtocol.FAILURE -> new HelperLine.End(false);
            default -> throw new IOException("the helper sent an unknown line");
        };
    }

    private static String textAfter(byte[] line, String tag) {
        int from = Math.min(line.length, tag.length() + 1);
        return new String(EscapedText.unescape(line, from), UTF_8);
    }

    private byte[] readLine() throws IOException, InterruptedException {
        int looked = waiting.position();
        for (; ; ) {
            for (; looked < waiting.limit(); looked++) {
                if (waiting.get(looked) == '\n') {
                    byte[] line = new byte[looked - waiting.position()];
                    waiting.get(line).get();
                    return line;
                }
            }
            looked -= waiting.position();
            waiting.compact();
            if (!waiting.hasRemaining()) {
                throw new IOException("a line of the helper is longer than " + MAX_LINE + " bytes");
            }
            int n = link.read(waiting, FOR_EVER);
            waiting.flip();
            if (n == ByteLink.END) {
                throw new IOException("the helper has gone without an answer");
            }
        }
    }

    /**
     * Answers a prompt.
     *
     * @param answer from its position to its limit, without line break; the caller wipes it
     * @throws IOException if it has a line break or is too long for PAM
     */
    void answer(ByteBuffer answer) throws IOException, InterruptedException {
        if (answer.remaining() > Conversation.MAX_ANSWER) {
            throw new IOException("more than " + Conversation.MAX_ANSWER + " bytes of an answer");
        }
        for (int i = answer.position(); i < answer.limit(); i++) {
            if (answer.get(i) == '\n') {
                throw new IOException("a line break in an answer");
            }
        }
        link.write(answer, WRITE_TIMEOUT);
        link.write(ByteBuffer.wrap(new byte[] {'\n'}), WRITE_TIMEOUT);
    }
}
