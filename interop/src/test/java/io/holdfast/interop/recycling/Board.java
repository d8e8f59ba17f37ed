package io.holdfast.interop.recycling;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * The truth, as the hammers record it in a file that both sides map (hammer.c): for each PID a ring
 * of the processes that had it, each with its identity, its kind, a time before its birth and one
 * after its end.
 */
final class Board {
    private static final int RING = 4096;
    private static final int RECORD = 32;
    private static final int HEADER = 4096;
    private static final int RING_BYTES = HEADER + RING * RECORD;
    private static final int ENDED_BY_OTHERS = 8;
    private static final int ID = 0;
    private static final int BORN = 8;
    private static final int GONE = 16;
    private static final int KIND = 24;
    private static final int RECENT = RING / 2; // older records may be overwritten at any time
    private static final VarHandle LONG = ValueLayout.JAVA_LONG.varHandle();
    private static final long PAUSE_NANOS = 50_000;
    private static final long TIMEOUT_NANOS = 20_000_000_000L;

    private final Path file;
    private final MemorySegment memory;
    private final int first;
    private final int numbers;
    private final List<Kind> kinds;

    private Board(Path file, MemorySegment memory, int first, int numbers, List<Kind> kinds) {
        this.file = file;
        this.memory = memory;
        this.first = first;
        this.numbers = numbers;
        this.kinds = kinds;
    }

    /** Creates an empty one, for the PIDs from {@code first} on. */
    static Board create(Path file, int first, int numbers, List<Kind> kinds) {
        long size = (long) numbers * RING_BYTES;
        try (FileChannel channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.CREATE_NEW,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            MemorySegment memory =
                    channel.map(FileChannel.MapMode.READ_WRITE, 0, size, Arena.global());
            return new Board(file, memory, first, numbers, kinds);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Returns the command of a hammer that writes to a part of the file, {@code part} of {@code
     * parts}.
     */
    List<String> hammer(Path program, Path notifySocket, int part, int parts) {
        int share = numbers / parts;
        List<String> command =
                new ArrayList<>(
                        List.of(
                                program.toString(),
                                file.toString(),
                                Integer.toString(first + part * share),
                                Integer.toString(share),
                                Long.toString((long) part * share * RING_BYTES),
                                notifySocket.toString()));
        kinds.forEach(kind -> command.addAll(kind.words()));
        return command;
    }

    private long at(long offset) {
        return (long) LONG.getAcquire(memory, offset);
    }

    private static long ring(int slot) {
        return (long) slot * RING_BYTES;
    }

    private static long record(int slot, long generation) {
        return ring(slot) + HEADER + (generation % RING) * RECORD;
    }

    int slots() {
        return numbers;
    }

    /** Returns the PID of a slot. */
    int number(int slot) {
        return first + slot;
    }

    /** Returns how many processes there were. */
    long generations() {
        long sum = 0;
        for (int slot = 0; slot < numbers; slot++) {
            sum += at(ring(slot));
        }
        return sum;
    }

    /** Returns how many processes were ended without permission. */
    long endedByOthers() {
        long sum = 0;
        for (int slot = 0; slot < numbers; slot++) {
            sum += at(ring(slot) + ENDED_BY_OTHERS);
        }
        return sum;
    }

    /** One process: which of those that had the slot's PID it is, from 0 on. */
    record Entry(Kind kind, int slot, long generation) {}

    /** Returns whether a process has been reaped, also if its record is no longer kept. */
    boolean isGone(Entry entry) {
        return at(ring(entry.slot())) > entry.generation() + 1
                || at(record(entry.slot(), entry.generation()) + GONE) != 0;
    }

    /**
     * Returns the process with this identity, which has the slot's PID or had it a moment ago.
     * Waits for a hammer that has just made the process and not yet recorded it.
     */
    Entry entry(int slot, long id) {
        long deadline = System.nanoTime() + TIMEOUT_NANOS;
        while (true) {
            long count = at(ring(slot));
            for (long g = count - 1; g >= 0 && g > count - RECENT; g--) {
                long record = record(slot, g);
                if (at(record + ID) == id) {
                    return new Entry(kinds.get((int) at(record + KIND)), slot, g);
                }
            }
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException(
                        "no process with number %d has the identity %d"
                                .formatted(number(slot), id));
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /** A span of time on the hammers' clock, which is {@link System#nanoTime}. */
    record Span(long from, long to) {
        /** Returns the span from a time until now. */
        static Span since(long from) {
            return new Span(from, System.nanoTime());
        }
    }

    /**
     * Returns the kinds, as bits, of the processes that may have had the slot's PID at some time in
     * each of these spans: a process that lived in all of them.
     */
    int kindsDuring(int slot, Span... spans) {
        int found = 0;
        long count = at(ring(slot));
        for (long g = count - 1; g >= 0 && g > count - RECENT; g--) {
            long record = record(slot, g);
            long born = at(record + BORN);
            long gone = at(record + GONE);
            boolean lived = true;
            for (Span span : spans) {
                lived &= born <= span.to() && (gone == 0 || gone >= span.from());
            }
            if (lived) {
                found |= kinds.get((int) at(record + KIND)).bit();
            }
        }
        return found;
    }
}
