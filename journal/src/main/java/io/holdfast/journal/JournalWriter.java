package io.holdfast.journal;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.file.FileException;
import io.holdfast.core.file.OpenHow;
import io.holdfast.core.file.OpenedFile;
import io.holdfast.core.sys.SysFile;
import io.holdfast.core.sys.SysRandom;
import io.holdfast.journal.format.Layout;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Appends entries to a journal file, and rotates it: a full, old or damaged file is renamed as
 * journald does, and a new one takes its path.
 *
 * <pre>{@code
 * try (JournalWriter writer = JournalWriter.open(file, WriterOptions.standard())) {
 *     writer.append(List.of(Field.of("MESSAGE", "ready"), Field.of("PRIORITY", "6")));
 * }
 * }</pre>
 *
 * <p>An appended entry survives the end of this process at once, and a power loss after {@link
 * #sync}; {@link #syncDueIn} says when that is due. If the process is killed, or the machine loses
 * power, the next writer archives the file with the suffix {@code .journal~} and begins a new one;
 * entries that were complete can be read in it.
 *
 * <p>The file is locked (flock(2)): a second writer is refused. journald does not lock its files;
 * never write a file that journald writes. All methods may block on the disk. Thread-safe.
 */
public final class JournalWriter implements AutoCloseable {
    private static final String SUFFIX = ".journal";
    private static final byte[] CRITICAL = {'0', '1', '2'}; // PRIORITY=

    private final Path path;
    private final WriterOptions options;
    private final Id128 machine;
    private final Id128 boot;
    private final SequenceNumbers sequence;
    private FileAppender file;
    private boolean isClosed;
    private boolean isUnannounced;
    private boolean isSyncDue;
    private long unsyncedSince; // nanoTime of the first entry that is not synced
    private boolean hasUnsynced;
    private Id128 lastBoot = Id128.NULL;
    private @Nullable Field bootField; // of the last boot

    private JournalWriter(Path path, WriterOptions options) throws IOException {
        this.path = path.toAbsolutePath();
        this.options = options;
        this.machine =
                options.machineId().isPresent() ? options.machineId().get() : Id128.machine();
        this.boot = Id128.boot();
        Opened opened = openFile();
        this.sequence = opened.sequence;
        this.file = opened.appender;
    }

    private record Opened(FileAppender appender, SequenceNumbers sequence) {}

    /**
     * Opens a file, or makes it. A file that was not closed, or is of another machine, sequence or
     * format, is archived first.
     *
     * @param file the file, whose name ends with {@code .journal}; its folder must exist
     * @param options how to write
     * @return the writer, owned by the caller
     * @throws IOException if the file cannot be opened, another writer has it open, or the disk is
     *     full
     */
    public static JournalWriter open(Path file, WriterOptions options) throws IOException {
        if (!file.toString().endsWith(SUFFIX)) {
            throw new IllegalArgumentException(file + " does not end with " + SUFFIX);
        }
        return new JournalWriter(file, options);
    }

    private Opened openFile() throws IOException {
        @Nullable SequenceNumbers numbers = options.sequence().orElse(null);
        Fd fd = openLocked();
        MappedFile mapped = map(fd);
        try {
            if (mapped.size() == 0) {
                return create(mapped, numbers == null ? SequenceNumbers.fresh() : numbers);
            }
            FileHeader header = readHeader();
            if (header != null && header.state() == FileState.ONLINE) {
                complete(mapped, header);
                header = readHeader();
            }
            boolean isOfSequence =
                    header != null && (numbers == null || numbers.id().equals(header.seqnumId()));
            if (header != null && isOfSequence) {
                FileAppender appender = FileAppender.reopen(path, mapped, options, header, machine);
                if (appender != null) {
                    if (numbers == null) {
                        numbers = new SequenceNumbers(header.seqnumId(), header.tailSeqnum());
                    }
                    numbers.skipTo(header.tailSeqnum());
                    mapped.sync();
                    return new Opened(appender, numbers);
                }
                if (numbers == null && header.machineId().equals(machine)) {
                    numbers = new SequenceNumbers(header.seqnumId(), header.tailSeqnum());
                } else if (numbers != null) {
                    numbers.skipTo(header.tailSeqnum());
                }
            }
            boolean isForeign = header != null && header.state() == FileState.OFFLINE;
            Path archived = setAside();
            mapped.close();
            options.onRotation()
                    .accept(archived, isForeign ? RotationReason.FOREIGN : RotationReason.UNCLEAN);
            mapped = map(openLocked());
            return create(mapped, numbers == null ? SequenceNumbers.fresh() : numbers);
        } catch (IOException | RuntimeException | Error e) {
            mapped.close();
            throw e;
        }
    }

    /** Completes the entry that a killed writer was linking; a damaged file stays as it is. */
    private void complete(MappedFile mapped, FileHeader header) {
        try {
            FileAppender.complete(path, mapped, options, header, machine, boot);
        } catch (JournalException | RuntimeException e) {
            // readers report the damage
        }
    }

    private Opened create(MappedFile mapped, SequenceNumbers numbers) throws IOException {
        FileAppender appender = FileAppender.create(path, mapped, options, machine, numbers);
        mapped.sync();
        syncFolder();
        return new Opened(appender, numbers);
    }

    private Fd openLocked() throws IOException {
        try (OpenedFile opened =
                OpenedFile.open(path, OpenHow.readingAndWriting().creating(options.mode()))) {
            int r = SysFile.tryLock(opened.fd());
            if (r == -Errno.EAGAIN) {
                throw new JournalException(path, -1, "another writer has the file open");
            }
            if (r < 0) {
                throw new JournalException(path, -1, "flock failed: " + Errno.text(-r));
            }
            return opened.take();
        } catch (FileException e) {
            throw new JournalException(path, "cannot open the file for writing", e);
        }
    }

    private MappedFile map(Fd fd) throws IOException {
        try {
            return new MappedFile(path, fd, Files.size(path));
        } catch (IOException | RuntimeException | Error e) {
            fd.close();
            throw e;
        }
    }

    private @Nullable FileHeader readHeader() {
        try {
            return FileHeader.read(path);
        } catch (JournalException e) {
            return null;
        }
    }

    /** Renames a file that no writer will continue; its contents stay as they are. */
    private Path setAside() throws IOException {
        String name =
                "%s@%016x-%016x.journal~"
                        .formatted(baseName(), micros(Instant.now()), SysRandom.bits());
        return Files.move(path, path.resolveSibling(name));
    }

    private String baseName() {
        String name = String.valueOf(path.getFileName());
        return name.substring(0, name.length() - SUFFIX.length());
    }

    private void syncFolder() throws IOException {
        Path folder = path.getParent();
        if (folder != null) {
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    private static long micros(Instant time) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, time);
    }

    /**
     * Appends an entry with the current times. A field {@code _BOOT_ID} is added if it is missing.
     *
     * @param fields the fields, one or more
     * @return its sequence number
     * @throws IOException if the disk is full, or the entry does not fit into an empty file
     */
    public long append(List<Field> fields) throws IOException {
        return append(micros(Instant.now()), monotonicMicros(), boot, fields);
    }

    private static long monotonicMicros() {
        return TimeUnit.NANOSECONDS.toMicros(System.nanoTime()); // CLOCK_MONOTONIC on Linux
    }

    /**
     * Appends a copy of an entry, with its times and its boot, and a new sequence number.
     *
     * @param entry the entry
     * @return its sequence number
     * @throws IOException if the disk is full, or the entry does not fit into an empty file
     */
    public long append(Entry entry) throws IOException {
        return append(
                entry.realtimeMicros(), entry.monotonicMicros(), entry.bootId(), entry.fields());
    }

    /**
     * Appends an entry. A field {@code _BOOT_ID} is added if it is missing.
     *
     * @param realtimeMicros the time since 1970 in µs, positive
     * @param monotonicMicros the time since the boot in µs, 0 or more
     * @param bootId the boot
     * @param fields the fields, one or more
     * @return its sequence number
     * @throws IOException if the disk is full, or the entry does not fit into an empty file
     */
    public synchronized long append(
            long realtimeMicros, long monotonicMicros, Id128 bootId, List<Field> fields)
            throws IOException {
        long seqnum = appendQuietly(realtimeMicros, monotonicMicros, bootId, fields);
        announce();
        return seqnum;
    }

    /**
     * Appends an entry, as {@link #append(long, long, Id128, List)}, and wakes no reader that waits
     * for entries. Call {@link #announce} after the last one of a batch.
     *
     * @param realtimeMicros the time since 1970 in µs, positive
     * @param monotonicMicros the time since the boot in µs, 0 or more
     * @param bootId the boot
     * @param fields the fields, one or more
     * @return its sequence number
     * @throws IOException if the disk is full, or the entry does not fit into an empty file
     */
    public synchronized long appendQuietly(
            long realtimeMicros, long monotonicMicros, Id128 bootId, List<Field> fields)
            throws IOException {
        requireValid(realtimeMicros, monotonicMicros, fields);
        try {
            RotationReason due = file().rotationDue(realtimeMicros, monotonicMicros, bootId);
            if (due != null) {
                var _ = rotate(due);
            }
            List<Field> all = withBoot(fields, bootId);
            long seqnum = sequence.next(file.number(Layout.TAIL_ENTRY_SEQNUM));
            if (!file.append(seqnum, realtimeMicros, monotonicMicros, bootId, all)) {
                boolean wasEmpty = file.number(Layout.N_ENTRIES) == 0;
                if (!wasEmpty) {
                    var _ = rotate(RotationReason.SIZE);
                }
                if (wasEmpty
                        || !file.append(seqnum, realtimeMicros, monotonicMicros, bootId, all)) {
                    throw new JournalException(
                            path,
                            -1,
                            "the entry does not fit into a file of "
                                    + options.maxFileSize()
                                    + " bytes; raise maxFileSize");
                }
            }
            noteUnsynced(fields);
            return seqnum;
        } catch (InternalError e) { // SIGBUS
            throw new JournalException(
                    path, "the file was truncated by another program, or the disk failed", e);
        }
    }

    /** Wakes readers that wait for entries, if any were appended quietly. */
    public synchronized void announce() {
        if (isUnannounced && !isClosed) {
            isUnannounced = false;
            file.announce();
        }
    }

    private static void requireValid(long realtime, long monotonic, List<Field> fields) {
        if (realtime <= 0 || monotonic < 0) {
            throw new IllegalArgumentException("times " + realtime + ", " + monotonic);
        }
        if (fields.isEmpty()) {
            throw new IllegalArgumentException("an entry without fields");
        }
        if (fields.size() >= JournalLimits.ENTRY_FIELDS.value()) {
            throw new IllegalArgumentException(
                    fields.size() + " fields; " + JournalLimits.ENTRY_FIELDS.remedy());
        }
    }

    private List<Field> withBoot(List<Field> fields, Id128 bootId) {
        for (Field field : fields) {
            if (field.hasName("_BOOT_ID")) {
                return fields;
            }
        }
        Field known = bootField;
        if (known == null || !bootId.equals(lastBoot)) {
            known = Field.of("_BOOT_ID", bootId.toString());
            bootField = known;
            lastBoot = bootId;
        }
        List<Field> all = new ArrayList<>(fields.size() + 1);
        all.addAll(fields);
        all.add(known);
        return all;
    }

    private void noteUnsynced(List<Field> fields) {
        isUnannounced = true;
        if (!hasUnsynced) {
            hasUnsynced = true;
            unsyncedSince = System.nanoTime();
        }
        if (!isSyncDue) {
            for (Field field : fields) {
                isSyncDue |= isCritical(field);
            }
        }
    }

    private static boolean isCritical(Field field) {
        return field.size() == 1
                && field.hasName("PRIORITY")
                && field.payload()[field.payload().length - 1] <= CRITICAL[CRITICAL.length - 1];
    }

    private FileAppender file() {
        if (isClosed) {
            throw new IllegalStateException(path + ": the writer is closed");
        }
        return file;
    }

    /**
     * Archives the file and begins a new one.
     *
     * @return the archived file; empty if the file had no entries, which then stays
     * @throws IOException if that fails
     */
    public synchronized Optional<Path> rotate() throws IOException {
        return file().number(Layout.N_ENTRIES) == 0
                ? Optional.empty()
                : Optional.of(rotate(RotationReason.REQUESTED));
    }

    private Path rotate(RotationReason reason) throws IOException {
        String name =
                "%s@%s-%016x-%016x.journal"
                        .formatted(
                                baseName(),
                                file.seqnumId(),
                                file.number(Layout.HEAD_ENTRY_SEQNUM),
                                file.number(Layout.HEAD_ENTRY_REALTIME));
        Path archived = Files.move(path, path.resolveSibling(name));
        file.archive();
        file.close();
        isClosed = true; // until the next file is there
        MappedFile mapped = map(openLocked());
        try {
            file = create(mapped, sequence).appender;
        } catch (IOException | RuntimeException | Error e) {
            mapped.close();
            throw e;
        }
        isClosed = false;
        options.onRotation().accept(archived, reason);
        return archived;
    }

    /**
     * {@return the time until {@link #sync} should be called: none after an entry of priority 2
     * (crit) or higher, else what is left of the interval; empty if all entries are synced}
     */
    public synchronized Optional<Duration> syncDueIn() {
        if (!hasUnsynced) {
            return Optional.empty();
        }
        Duration left = options.syncInterval().minusNanos(System.nanoTime() - unsyncedSince);
        return Optional.of(isSyncDue || left.isNegative() ? Duration.ZERO : left);
    }

    /**
     * Makes all entries durable (fdatasync(2)).
     *
     * @throws IOException if the disk fails
     */
    public synchronized void sync() throws IOException {
        file().sync();
        hasUnsynced = false;
        isSyncDue = false;
    }

    /** {@return the file} */
    public Path path() {
        return path;
    }

    /** {@return the sequence that numbers the entries} */
    public SequenceNumbers sequence() {
        return sequence;
    }

    /**
     * Syncs and closes the file, so that a writer can continue it. Idempotent.
     *
     * @throws IOException if the disk fails; the file is closed all the same
     */
    @Override
    public synchronized void close() throws IOException {
        if (!isClosed) {
            isClosed = true;
            try (FileAppender closing = file) {
                closing.offline();
            }
        }
    }

    @Override
    public String toString() {
        return "writer of " + path;
    }
}
