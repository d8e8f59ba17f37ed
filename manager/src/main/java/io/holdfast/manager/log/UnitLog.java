package io.holdfast.manager.log;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.text.PrintableText;
import io.holdfast.manager.loop.ManagerLimits;
import java.util.ArrayDeque;
import java.util.ArrayList;
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
 * passes each line to the listeners, outside of any lock, in order; a line that is too long is cut
 * and passed on at once. Bytes that are not UTF-8 are replaced; everything else is as the unit
 * wrote it, so a program that shows a line escapes it ({@link PrintableText}). The lines are
 * bounded in number and in characters ({@link ManagerLimits#LOG_CHARACTERS}), and the memory of all
 * units' lines is bounded too ({@link ManagerLimits#LOG_MEMORY}).
 */
public final class UnitLog implements LogBudget.Member {
    static final int DEFAULT_LINES = 1000;

    /** Bytes of a line, without its line end and without {@link PrintableText#CUT}. */
    public static final int DEFAULT_LINE_BYTES = 8192;

    private static final int SMALL_LINE = 256;
    private static final int CONTINUATION_MASK = 0xC0; // for a byte inside a UTF-8 character
    private static final int CONTINUATION = 0x80;

    /** The memory of a line besides its characters: the String, its array, and its place here. */
    private static final int BYTES_PER_LINE = 64;

    private final int maxLines;
    private final int maxLineBytes;
    private final LogBudget budget;

    @GuardedBy("this")
    private final Deque<String> lines = new ArrayDeque<>();

    @GuardedBy("this")
    private int characters;

    @GuardedBy("this")
    private OptionalLong writer = OptionalLong.empty();

    @GuardedBy("this")
    private int ofWriter; // the newest lines, all by the current writer

    @GuardedBy("this")
    private List<Consumer<String>> listeners = List.of();

    // of the writing thread
    private byte[] partial = new byte[SMALL_LINE];
    private int length;
    private boolean overlong; // the line is added, cut, and its rest is skipped

    public UnitLog() {
        this(DEFAULT_LINES, DEFAULT_LINE_BYTES);
    }

    /**
     * @param maxLines how many are kept
     * @param maxLineBytes where a line is cut
     */
    public UnitLog(int maxLines, int maxLineBytes) {
        this(maxLines, maxLineBytes, new LogBudget(Long.MAX_VALUE));
    }

    /**
     * @param budget bounds the memory of this log and of others, all written by one thread
     */
    UnitLog(int maxLines, int maxLineBytes, LogBudget budget) {
        if (maxLines < 1 || maxLineBytes < 1) {
            throw new IllegalArgumentException(maxLines + " lines of " + maxLineBytes + " bytes");
        }
        this.maxLines = maxLines;
        this.maxLineBytes = maxLineBytes;
        this.budget = budget;
    }

    /** Takes bytes of the unit's output; lines may begin and end anywhere in them. */
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

    /** Ends the output: the text after the last newline becomes a line too. */
    void end() {
        if (length > 0) {
            endLine();
        }
        overlong = false;
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
            release();
            return;
        }
        int kept = length > 0 && partial[length - 1] == '\r' ? length - 1 : length;
        add(new String(partial, 0, kept, UTF_8));
        length = 0;
        release();
    }

    /** Releases the buffer of a long line. */
    private void release() {
        if (partial.length > SMALL_LINE) {
            partial = new byte[SMALL_LINE];
        }
    }

    private void cutLine() {
        add(new String(partial, 0, beforeCutCharacter(), UTF_8) + PrintableText.CUT);
        length = 0;
        overlong = true;
    }

    /** Returns the end of the last complete character. */
    private int beforeCutCharacter() {
        int start = length;
        while (start > 0
                && length - start < 3
                && (partial[start - 1] & CONTINUATION_MASK) == CONTINUATION) {
            start--;
        }
        if (start == 0 || partial[start - 1] >= 0) {
            return length; // ASCII, or not UTF-8
        }
        int size = Integer.numberOfLeadingZeros(~(partial[start - 1] << 24)); // from the first byte
        return length - start + 1 < size ? start - 1 : length;
    }

    private void add(String line) {
        List<Consumer<String>> receivers;
        long grown;
        synchronized (this) {
            grown = -bytes();
            lines.addLast(line);
            ofWriter++;
            characters += line.length();
            while (lines.size() > maxLines
                    || (characters > ManagerLimits.LOG_CHARACTERS.intValue() && lines.size() > 1)) {
                removeFirst();
            }
            grown += bytes();
            receivers = listeners;
        }
        budget.grow(grown);
        receivers.forEach(listener -> listener.accept(line));
    }

    @GuardedBy("this")
    private void removeFirst() {
        characters -= lines.removeFirst().length();
        ofWriter = Math.min(ofWriter, lines.size());
    }

    @Override
    public synchronized long bytes() {
        return (long) BYTES_PER_LINE * lines.size() + (long) Character.BYTES * characters;
    }

    @Override
    public synchronized long halve() {
        long before = bytes();
        while (lines.size() > 1 && bytes() > before / 2) {
            removeFirst();
        }
        return before - bytes();
    }

    /**
     * Sets the user on whose behalf further output is written.
     *
     * @param user empty if it is unknown
     */
    public synchronized void writer(OptionalLong user) {
        if (!user.equals(writer)) {
            writer = user;
            ofWriter = 0;
        }
    }

    /**
     * Returns the user who wrote all lines that are kept; empty if there are several, or an unknown
     * one.
     */
    public synchronized OptionalLong onlyWriter() {
        return ofWriter == lines.size() ? writer : OptionalLong.empty();
    }

    /** Returns the last lines, the oldest first, {@code count} at most. */
    public synchronized List<String> last(int count) {
        return lines.size() <= count
                ? List.copyOf(lines) // a further List.copyOf of it copies nothing
                : List.copyOf(new ArrayList<>(lines).subList(lines.size() - count, lines.size()));
    }

    /**
     * Returns the last lines, and from then on passes every line to a listener; none is missing or
     * repeated in between.
     *
     * @param listener must not block for long, because the unit's output waits meanwhile
     */
    public synchronized List<String> follow(int count, Consumer<String> listener) {
        listeners = Stream.concat(listeners.stream(), Stream.of(listener)).toList();
        return last(count);
    }
}
