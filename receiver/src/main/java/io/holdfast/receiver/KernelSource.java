package io.holdfast.receiver;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.journal.Entry;
import io.holdfast.journal.Id128;
import io.holdfast.journal.JournalReader;
import io.holdfast.journal.Match;
import io.holdfast.receiver.input.KernelRecord;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The log of the kernel, {@code /dev/kmsg}. Each entry has the kernel's number of its record, so a
 * receiver that starts again continues after the last one that is in its files: none is missing,
 * unless the kernel has overwritten it, and none is there twice. Used on the loop.
 */
final class KernelSource implements Intake.Source, AutoCloseable {
    private static final int LONGEST = 8192; // of a record, in the kernel
    private static final int BATCH = 256; // records of one turn
    private static final long NONE = -1;

    private final Fd log;
    private final Intake intake;
    private final Consumer<String> warnings;
    private final EventLoop.Watch watch;
    private final byte[] buffer = new byte[LONGEST];
    private long last; // the number of the last record that was taken; NONE before the first

    /**
     * @param log {@code /dev/kmsg}, at its first record; owned by the source
     * @param last the number of the last record that is stored; -1 if there is none
     */
    KernelSource(EventLoop loop, Fd log, long last, Intake intake, Consumer<String> warnings) {
        this.log = log;
        this.last = last;
        this.intake = intake;
        this.warnings = warnings;
        watch = loop.watch(log, 0, _ -> intake.turn(this::receive));
    }

    /**
     * Opens the kernel's log.
     *
     * @throws ErrnoException ENOENT in a container without it, EPERM or EACCES if it may not be
     *     read
     */
    static Fd open(Path log) {
        return Fcntl.open(log.toString(), Fcntl.O_RDONLY | Fcntl.O_NONBLOCK);
    }

    /** Returns the number of the last record of this boot that is in a folder's files, or -1. */
    static long lastIn(Path storage) throws IOException {
        String boot = Id128.boot().toString();
        try (JournalReader reader = JournalReader.openFolders(List.of(storage))) {
            reader.filter(
                    Match.all(
                            List.of(
                                    Match.field("_TRANSPORT", "kernel"),
                                    Match.field("_BOOT_ID", boot))));
            reader.seekTail();
            Entry entry = reader.previous();
            return entry == null
                    ? NONE
                    : entry.text(KernelRecord.SEQUENCE)
                            .filter(text -> text.matches("[0-9]{1,18}"))
                            .map(Long::parseLong)
                            .orElse(NONE);
        }
    }

    @Override
    public void listen(boolean whether) {
        watch.events(whether ? Readiness.IN : 0);
    }

    private void receive() {
        for (int i = 0; i < BATCH && !intake.isWaiting(); i++) {
            int size = Unistd.read(log, buffer, 0, LONGEST);
            if (size == -Errno.EPIPE) {
                continue; // the kernel has overwritten the next ones: the numbers show how many
            }
            if (size <= 0) {
                if (size != -Errno.EAGAIN) {
                    watch.events(0);
                    warnings.accept(
                            "no more messages of the kernel are received: "
                                    + (size == 0 ? "end of file" : Errno.name(-size)));
                }
                return;
            }
            Optional<KernelRecord> record = KernelRecord.parse(buffer, size);
            record.filter(one -> one.sequence() > last).ifPresent(this::take);
        }
    }

    private void take(KernelRecord record) {
        long missed = record.sequence() - last - 1;
        if (last != NONE && missed > 0) {
            warnings.accept(missed + " messages of the kernel are lost: it has overwritten them");
        }
        last = record.sequence();
        intake.takeOfKernel("kernel", record.fields());
    }

    @Override
    public void close() {
        boolean _ = watch.cancel();
        log.close();
    }
}
