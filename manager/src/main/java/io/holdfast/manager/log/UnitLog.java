package io.holdfast.manager.log;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.text.PrintableText;
import io.holdfast.manager.loop.ManagerLimits;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The last lines of a unit's output, and the listeners for further lines.
 *
 * <p>One thread writes bytes as the pipe returns them; every thread may read. The writing thread
 * hands each line to the listeners, outside of any lock, in order, one that is too long as soon as
 * that is known. Bytes that are not UTF-8 are replaced; everything else is as the unit wrote it, so
 * whoever shows a line escapes it ({@link PrintableText}). The lines are bounded in number and in
 * characters ({@link ManagerLimits#LOG_CHARACTERS}).
 */
public final class UnitLog {
    static final int DEFAULT_LINES = 1000;

    /** Bytes of a line, without its end and without {@link PrintableText#CUT}. */
    public static final int DEFAULT_LINE_BYTES = 8192;

    private static final int CONTINUATION_MASK = 0xC0; // of a byte inside of a UTF-8 character
    private static final int CONTINUATION = 0x80;

    private final int maxLines;
    private final int maxLineBytes;

    @GuardedBy("this")
    private final Deque<String> lines = new ArrayDeque<>();

    @GuardedBy("this")
    private int characters;

    @GuardedBy("this")
    private OptionalLong writer = OptionalLong.empty();

    @GuardedBy("this")
    private int ofWriter; // lines, the newest ones

    @GuardedBy("this")
    private List<Consumer<String>> listeners = List.of();

    // of the writing thread
    private byte[] partial = new byte[128];
    private int length;
    private boolean overlong; // the line is there, cut, and its rest is skipped
    private boolean recalling;
    private Intake intake;

    public UnitLog() {
        this(DEFAULT_LINES, DEFAULT_LINE_BYTES);
    }

    /**
     * @param maxLines how many are kept
     * @param maxLineBytes where a line is cut
     */
    public UnitLog(int maxLines, int maxLineBytes) {
        if (maxLines < 1 || maxLineBytes < 1) {
            throw new IllegalArgumentException(maxLines + " lines of " + maxLineBytes + " bytes");
        }
        this.maxLines = maxLines;
        this.maxLineBytes = maxLineBytes;
        this.intake = new DirectIntake(this);
    }

    /** What takes bytes for this log from a pipe. */
    Intake intake() {
        return intake;
    }

    void intake(Intake other) {
        intake = other;
    }

    /** Takes bytes that the unit has written; lines may begin and end anywhere in them. */
    void write(byte[] bytes, int offset, int count) {
        int end = offset + count;
        int from = offset;
        for (int i = offset; i < end; i++) {
            if (bytes[i] == '\n') {
                append(bytes, from, i);
                endLine();
                from = i + 1;
            }
        }
        append(bytes, from, end);
    }

    /**
     * Takes bytes whose lines were told by an earlier manager: they are among the last lines, and
     * not told again.
     */
    void recall(byte[] bytes, int offset, int count) {
        recalling = true;
        write(bytes, offset, count);
        recalling = false;
    }

    /**
     * What comes is a new line.
     *
     * @param rest no, it is the rest of one that was cut
     */
    void resume(boolean rest) {
        length = 0;
        overlong = rest;
    }

    /** Nothing more comes: what was written after the last newline is a line too. */
    void end() {
        if (length > 0) {
            endLine();
        }
        overlong = false;
    }

    /** Bytes of a line that is not there yet. */
    int unfinished() {
        return length;
    }

    /** Whether what comes next is the rest of a line. */
    boolean isInLine() {
        return length > 0 || overlong;
    }

    private void append(byte[] bytes, int from, int to) {
        if (overlong) {
            return;
        }
        int fits = Math.min(to - from, maxLineBytes - length);
        if (length + fits > partial.length) {
            partial =
                    Arrays.copyOf(
                            partial,
                            Math.min(maxLineBytes, Math.max(2 * partial.length, length + fits)));
        }
        System.arraycopy(bytes, from, partial, length, fits);
        length += fits;
        if (fits < to - from) {
            cutLine();
        }
    }

    private void endLine() {
        if (overlong) {
            overlong = false;
            return;
        }
        int kept = length > 0 && partial[length - 1] == '\r' ? length - 1 : length;
        add(new String(partial, 0, kept, UTF_8));
        length = 0;
    }

    private void cutLine() {
        add(new String(partial, 0, beforeCutCharacter(), UTF_8) + PrintableText.CUT);
        length = 0;
        overlong = true;
    }

    /** The end of the last character that is there as a whole. */
    private int beforeCutCharacter() {
        int start = length;
        while (start > 0
                && length - start < 3
                && (partial[start - 1] & CONTINUATION_MASK) == CONTINUATION) {
            start--;
        }
        if (start == 0 || partial[start - 1] >= 0) {
            return length; // ASCII, or no UTF-8 at all
        }
        int size =
                Integer.numberOfLeadingZeros(~(partial[start - 1] << 24)); // as its first byte says
        return length - start + 1 < size ? start - 1 : length;
    }

    private void add(String line) {
        List<Consumer<String>> told;
        synchronized (this) {
            lines.addLast(line);
            ofWriter++;
            characters += line.length();
            while (lines.size() > maxLines
                    || (characters > ManagerLimits.LOG_CHARACTERS.intValue() && lines.size() > 1)) {
                characters -= lines.removeFirst().length();
            }
            ofWriter = Math.min(ofWriter, lines.size());
            told = recalling ? List.of() : listeners;
        }
        told.forEach(listener -> listener.accept(line));
    }

    /**
     * What comes from now on is written on behalf of this user.
     *
     * @param user empty for one that nobody knows
     */
    public synchronized void writer(OptionalLong user) {
        if (!user.equals(writer)) {
            writer = user;
            ofWriter = 0;
        }
    }

    /** Who wrote all lines that are kept; empty for several, or one that nobody knows. */
    public synchronized OptionalLong onlyWriter() {
        return ofWriter == lines.size() ? writer : OptionalLong.empty();
    }

    /** The last lines, the oldest first, {@code count} at most. */
    public synchronized List<String> last(int count) {
        return lines.stream().skip(Math.max(0, lines.size() - count)).toList();
    }

    /**
     * The last lines, and from then on every line, none twice and none missing between them.
     *
     * @param listener must not block for long, for the unit's output waits meanwhile; until {@link
     *     #unfollow}
     */
    public synchronized List<String> follow(int count, Consumer<String> listener) {
        listeners = Stream.concat(listeners.stream(), Stream.of(listener)).toList();
        return last(count);
    }

    /** A line that is being told right now may still arrive. */
    synchronized void unfollow(Consumer<String> listener) {
        listeners = listeners.stream().filter(l -> !l.equals(listener)).toList();
    }
}
