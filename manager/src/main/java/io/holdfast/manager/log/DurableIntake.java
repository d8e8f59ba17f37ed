package io.holdfast.manager.log;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.SysIoctl;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.survival.DurableText;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.UnitName;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Moves a unit's output through a file that outlives the manager: if the manager is killed, no line
 * is lost, and none is reported twice.
 *
 * <pre>
 *   pipe ── splice ──▶ file ── read ──▶ log ── lines ──▶ listeners
 *                       ▲ committed: the next manager continues here
 * </pre>
 *
 * <p>Each byte is in the pipe or in the file and never only in this process. Once the lines of a
 * batch are reported, first the listener records the position ({@link
 * ManagerListener#outputCommitted}), then the file does; after a crash in between, the listener's
 * position counts. A window of the output before the position stays, from which the next manager
 * restores the last lines; it is smaller if the units together exceed their budget.
 *
 * <p>The file exists from the first byte on, for as long as the manager keeps the unit's log. If no
 * file can be made, the pipe is read directly, and a crash loses output. On the loop.
 */
final class DurableIntake implements Intake, LogBudget.Member {
    static final String KEY = "log ";

    private static final byte NEWLINE = '\n';
    private static final String LOST = "output is lost if the manager crashes: ";

    private final UnitName unit;
    private final UnitLog log;
    private final ManagerListener listener;
    private final Survival survival;
    private final byte[] chunk;
    private final DirectIntake direct;
    private final LogBudget budget;
    private @Nullable DurableText text;
    private long number; // of the file
    private long parsed; // the log has everything before this
    private long committed;
    private long begin; // of the output that is kept
    private boolean refused;

    /**
     * @param log has no listeners yet besides its own
     * @param chunk a buffer that all units of a manager share
     * @param budget bounds the memory of the files of all units
     */
    DurableIntake(
            UnitName unit,
            UnitLog log,
            ManagerListener listener,
            Survival survival,
            byte[] chunk,
            LogBudget budget) {
        this.unit = unit;
        this.log = log;
        this.listener = listener;
        this.survival = survival;
        this.chunk = chunk;
        this.budget = budget;
        this.direct = new DirectIntake(log, chunk);
    }

    private String key() {
        return KEY + unit;
    }

    /**
     * Adopts the file of an earlier manager, if there is one, and commits to it the position that
     * the listener had recorded for it when that manager was killed. The listener remembers only
     * one file, the last one: so this runs for all units before any of them resumes.
     */
    void restore() {
        List<Fd> kept = survival.take(key());
        if (kept.size() != 1) {
            kept.forEach(Fd::close);
            return;
        }
        try {
            DurableText found = DurableText.open(kept.getFirst());
            text = found;
            long[] numbers = found.committed();
            number = numbers[0];
            committed = Math.max(numbers[1], listener.committedPosition(number));
            begin = numbers.length > 2 ? numbers[2] : DurableText.START;
            if (committed > numbers[1]) {
                found.commit(number, committed, begin);
            }
        } catch (IllegalArgumentException | ErrnoException e) {
            refuse("cannot adopt the output of the previous manager: " + e.getMessage());
        }
    }

    /** Resumes the adopted file. */
    void resume() {
        DurableText found = text;
        if (found == null) {
            return;
        }
        try {
            recall(found);
            found.freeNow(committed - ManagerLimits.LOG_WINDOW.value());
            budget.add(this);
            parse(found);
        } catch (IllegalArgumentException | ErrnoException e) {
            refuse("cannot adopt the output of the previous manager: " + e.getMessage());
        } catch (RuntimeException e) { // from a listener that receives the lines
            close();
            throw e;
        }
    }

    /** Restores the lines of the window to the log. */
    private void recall(DurableText found) {
        long start = Math.max(begin, committed - ManagerLimits.LOG_WINDOW.value());
        boolean inLine = start > DurableText.START;
        byte last = NEWLINE;
        for (long at = start; at < committed; ) {
            int n = found.read(at, chunk, (int) Math.min(chunk.length, committed - at));
            if (n == 0) {
                throw new IllegalArgumentException("truncated: shorter than its committed length");
            }
            int from = 0;
            while (inLine && from < n) {
                inLine = chunk[from++] != NEWLINE;
            }
            log.recall(chunk, from, n - from);
            last = chunk[n - 1];
            at += n;
        }
        log.resume(last != NEWLINE);
        parsed = committed;
    }

    @Override
    public int take(Fd pipe, int most) {
        DurableText file = text;
        if (file == null
                && !refused
                && !log.isInLine()) { // otherwise it would lack the line's beginning
            if (SysIoctl.readable(pipe) <= 0) {
                return -Errno.EAGAIN;
            }
            file = make();
        }
        if (file == null) {
            return takeDirectly(pipe, most);
        }
        int n = file.fill(pipe, most);
        if (n > 0) {
            parse(file);
        } else if (n == -Errno.EFBIG) {
            forget(); // RLIMIT_FSIZE: another file follows
            return takeDirectly(pipe, most);
        } else if (n < 0 && n != -Errno.EAGAIN) {
            refuse(LOST + "splice: " + Errno.name(-n));
            return takeDirectly(pipe, most);
        }
        return n;
    }

    private int takeDirectly(Fd pipe, int most) {
        int n = direct.take(pipe, most);
        if (n > 0) {
            listener.outputCommitted(0, 0);
        }
        return n;
    }

    private @Nullable DurableText make() {
        long now = System.nanoTime();
        DurableText made;
        try {
            made = DurableText.make("holdfast-log", now, DurableText.START);
        } catch (ErrnoException e) {
            refuse(LOST + e.getMessage());
            return null;
        }
        number = now;
        committed = DurableText.START;
        parsed = committed;
        begin = DurableText.START;
        survival.keep(key(), List.of(made.file()));
        text = made;
        budget.add(this);
        return made;
    }

    /** Writes the new part of the file to the log, and commits how far lines were reported. */
    private void parse(DurableText file) {
        long before = parsed - file.freed();
        for (long end = file.position(); parsed < end; ) {
            int n = file.read(parsed, chunk, (int) Math.min(chunk.length, end - parsed));
            if (n == 0) {
                throw new IllegalStateException("the file is shorter than its position");
            }
            log.write(chunk, 0, n);
            parsed += n;
        }
        long now = parsed - log.unfinished();
        if (now != committed) {
            listener.outputCommitted(number, now);
            file.commit(number, now, begin);
            committed = now;
            file.free(committed - ManagerLimits.LOG_WINDOW.value());
        }
        budget.grow(bytes() - before);
    }

    @Override
    public long bytes() {
        return text == null ? 0 : parsed - text.freed();
    }

    @Override
    public long halve() {
        DurableText file = text;
        if (file == null) {
            return 0;
        }
        long before = bytes();
        begin = Math.max(begin, file.freed() + (committed - file.freed()) / 2);
        try {
            file.commit(number, committed, begin); // first: nobody reads the pages that are freed
            file.freeNow(begin);
        } catch (ErrnoException e) {
            return 0;
        }
        return before - bytes();
    }

    /** Ends the output of a run: output of another run begins a new line, and may be kept again. */
    @Override
    public void end() {
        refused = false;
        DurableText file = text;
        if (file != null && log.isInLine()) {
            int n = file.fill(NEWLINE);
            if (n == 1) {
                parse(file);
                return;
            }
            refuse(LOST + "write: " + Errno.name(-n));
        }
        log.end();
        listener.outputCommitted(0, 0);
    }

    private void refuse(String line) {
        if (!refused) {
            refused = true;
            listener.event(unit, ManagerListener.Level.WARNING, line);
        }
        close();
        survival.drop(key());
    }

    @Override
    public void forget() {
        if (text != null) {
            close();
            survival.drop(key());
        }
    }

    @Override
    public void close() {
        if (text != null) {
            budget.remove(this);
            text.close();
            text = null;
        }
    }
}
