package io.holdfast.authority.agent;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.holdfast.authority.pam.Conversation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.time.Duration;

/**
 * The helper's side of the line protocol between polkit's agents and helpers: the agent sends the
 * user's name and the cookie, then an answer for each prompt; the helper sends lines of {@code TAG
 * text}, and {@code SUCCESS} or {@code FAILURE} at the end.
 *
 * <p>Input is read byte by byte, never ahead: an answer goes from the kernel directly to PAM's
 * memory, and an answer that an agent sends too early stays in the socket.
 */
final class HelperProtocol implements Conversation {
    static final String ECHO_OFF = "PAM_PROMPT_ECHO_OFF";
    static final String ECHO_ON = "PAM_PROMPT_ECHO_ON";
    static final String ERROR = "PAM_ERROR_MSG";
    static final String INFO = "PAM_TEXT_INFO";
    static final String SUCCESS = "SUCCESS";
    static final String FAILURE = "FAILURE";

    private final ByteLink link;
    private final HelperLimits limits;

    HelperProtocol(ByteLink link, HelperLimits limits) {
        this.link = link;
        this.limits = limits;
    }

    /**
     * Reads the first two lines.
     *
     * @throws IOException if they are too long, too late, empty or not plain text
     */
    HelperRequest readRequest() throws IOException, InterruptedException {
        long begin = System.nanoTime();
        String user = readText("the user's name", limits.request());
        Duration left = limits.request().minusNanos(System.nanoTime() - begin);
        return new HelperRequest(user, readText("the cookie", left));
    }

    private String readText(String what, Duration limit) throws IOException, InterruptedException {
        ByteBuffer line = ByteBuffer.allocate(limits.line());
        readLine(line, what, limit);
        String text;
        try {
            text = UTF_8.newDecoder().decode(line.flip()).toString();
        } catch (CharacterCodingException e) {
            throw new IOException(what + " is not UTF-8", e);
        }
        if (text.isEmpty() || text.chars().anyMatch(Character::isISOControl)) {
            throw new IOException(what + " is " + (text.isEmpty() ? "empty" : "not plain text"));
        }
        return text;
    }

    @Override
    public void prompt(byte[] text, boolean echo, ByteBuffer answer)
            throws IOException, InterruptedException {
        write(echo ? ECHO_ON : ECHO_OFF, text);
        readLine(answer, "an answer", limits.answer());
        for (int i = 0; i < answer.position(); i++) {
            if (answer.get(i) == 0) {
                throw new IOException("an answer has a NUL, where PAM would end it");
            }
        }
    }

    @Override
    public void showMessage(byte[] text, boolean isError) throws IOException, InterruptedException {
        write(isError ? ERROR : INFO, text);
    }

    /** Sends the result, which is the last line. */
    void end(boolean authenticated) throws IOException, InterruptedException {
        String line = (authenticated ? SUCCESS : FAILURE) + "\n";
        link.write(ByteBuffer.wrap(line.getBytes(US_ASCII)), limits.answer());
    }

    private void write(String tag, byte[] text) throws IOException, InterruptedException {
        byte[] escaped = EscapedText.escape(text);
        ByteBuffer line = ByteBuffer.allocate(tag.length() + escaped.length + 2);
        line.put(tag.getBytes(US_ASCII)).put((byte) ' ').put(escaped).put((byte) '\n').flip();
        link.write(line, limits.answer());
    }

    /** Reads a line without its line break. Bytes of the buffer after the line stay unchanged. */
    private void readLine(ByteBuffer into, String what, Duration limit)
            throws IOException, InterruptedException {
        long begin = System.nanoTime();
        ByteBuffer beyond = ByteBuffer.allocate(1);
        for (; ; ) {
            int at = into.position();
            boolean full = !into.hasRemaining();
            ByteBuffer one = full ? beyond.clear() : into.slice(at, 1);
            Duration left = limit.minusNanos(System.nanoTime() - begin);
            if (left.isNegative()) {
                throw new IOException(what + " has no end within " + limit.toMillis() + " ms");
            }
            if (link.read(one, left) == ByteLink.END) {
                throw new IOException("the agent hung up before it sent " + what);
            }
            if (one.get(0) == '\n') {
                one.put(0, (byte) 0);
                return;
            }
            if (full) {
                throw new IOException(what + " is longer than " + into.capacity() + " bytes");
            }
            into.position(at + 1);
        }
    }
}
