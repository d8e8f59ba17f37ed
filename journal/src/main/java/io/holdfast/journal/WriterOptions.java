package io.holdfast.journal;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * How a {@link JournalWriter} writes. Immutable.
 *
 * <pre>{@code
 * WriterOptions options = WriterOptions.standard().maxFileSize(16 << 20);
 * }</pre>
 *
 * @param isCompact whether files have 32-bit offsets, which saves a quarter of their size; systemd
 *     252 and newer read them
 * @param compressFrom the size in bytes from which a field is compressed; {@link Integer#MAX_VALUE}
 *     for never. Without libzstd nothing is compressed
 * @param maxFileSize the size in bytes at which a file is rotated, 1 MiB to 4 GiB
 * @param maxAge the age of the first entry at which a file is rotated
 * @param syncInterval how long entries may be in memory only; see {@link JournalWriter#syncDueIn}
 * @param mode the permission bits of new files
 * @param machineId the machine of new files; empty for this machine
 * @param sequence the sequence that numbers the entries; empty for the one of the file
 * @param onRotation called after each rotation with the archived file and the reason, by the thread
 *     that appends
 */
public record WriterOptions(
        boolean isCompact,
        int compressFrom,
        long maxFileSize,
        Duration maxAge,
        Duration syncInterval,
        int mode,
        Optional<Id128> machineId,
        Optional<SequenceNumbers> sequence,
        BiConsumer<Path, RotationReason> onRotation) {
    /** The smallest {@link #maxFileSize}: 1 MiB. */
    public static final long SMALLEST_FILE = 1 << 20;

    /** The largest {@link #maxFileSize}: 4 GiB, less 1 MiB. */
    public static final long LARGEST_FILE = (4L << 30) - (1 << 20);

    private static final int LEAST_COMPRESSED = 8;

    /**
     * Checks the values.
     *
     * @throws IllegalArgumentException if one is out of its range
     */
    public WriterOptions {
        if (maxFileSize < SMALLEST_FILE || maxFileSize > LARGEST_FILE) {
            throw new IllegalArgumentException(
                    "maxFileSize " + maxFileSize + " is not within 1 MiB and 4 GiB");
        }
        if (compressFrom < LEAST_COMPRESSED) {
            throw new IllegalArgumentException("compressFrom " + compressFrom + " is below 8");
        }
        if (maxAge.isNegative() || maxAge.isZero() || syncInterval.isNegative()) {
            throw new IllegalArgumentException("an age or interval is not positive");
        }
        if ((mode & ~0777) != 0) {
            throw new IllegalArgumentException("mode " + Integer.toOctalString(mode));
        }
    }

    /**
     * {@return the values of journald: compact files of up to 128 MiB and a month, fields from 512
     * bytes on compressed, synced within 5 minutes, mode 0640}
     */
    public static WriterOptions standard() {
        return new WriterOptions(
                true,
                512,
                128 << 20,
                Duration.ofDays(30),
                Duration.ofMinutes(5),
                0640,
                Optional.empty(),
                Optional.empty(),
                (_, _) -> {});
    }

    /**
     * {@return a copy with another format}
     *
     * @param compact whether files have 32-bit offsets
     */
    public WriterOptions compact(boolean compact) {
        return with(copy -> copy.isCompact = compact);
    }

    /**
     * {@return a copy with another threshold}
     *
     * @param bytes the size from which a field is compressed, 8 or more
     */
    public WriterOptions compressFrom(int bytes) {
        return with(copy -> copy.compressFrom = bytes);
    }

    /**
     * {@return a copy with another size}
     *
     * @param bytes the size at which a file is rotated
     */
    public WriterOptions maxFileSize(long bytes) {
        return with(copy -> copy.maxFileSize = bytes);
    }

    /**
     * {@return a copy with another age}
     *
     * @param age the age of the first entry at which a file is rotated
     */
    public WriterOptions maxAge(Duration age) {
        return with(copy -> copy.maxAge = age);
    }

    /**
     * {@return a copy with another interval}
     *
     * @param interval how long entries may be in memory only
     */
    public WriterOptions syncInterval(Duration interval) {
        return with(copy -> copy.syncInterval = interval);
    }

    /**
     * {@return a copy with other permissions}
     *
     * @param bits the permission bits of new files
     */
    public WriterOptions mode(int bits) {
        return with(copy -> copy.mode = bits);
    }

    /**
     * {@return a copy with another machine}
     *
     * @param machine the machine of new files
     */
    public WriterOptions machineId(Id128 machine) {
        return with(copy -> copy.machineId = Optional.of(machine));
    }

    /**
     * {@return a copy with a shared sequence}
     *
     * @param numbers the sequence that numbers the entries
     */
    public WriterOptions sequence(SequenceNumbers numbers) {
        return with(copy -> copy.sequence = Optional.of(numbers));
    }

    /**
     * {@return a copy with another callback}
     *
     * @param callback called after each rotation
     */
    public WriterOptions onRotation(BiConsumer<Path, RotationReason> callback) {
        return with(copy -> copy.onRotation = callback);
    }

    private WriterOptions with(Consumer<Values> change) {
        Values copy = new Values(this);
        change.accept(copy);
        return new WriterOptions(
                copy.isCompact,
                copy.compressFrom,
                copy.maxFileSize,
                copy.maxAge,
                copy.syncInterval,
                copy.mode,
                copy.machineId,
                copy.sequence,
                copy.onRotation);
    }

    /** The values of changed options. */
    private static final class Values {
        boolean isCompact;
        int compressFrom;
        long maxFileSize;
        Duration maxAge;
        Duration syncInterval;
        int mode;
        Optional<Id128> machineId;
        Optional<SequenceNumbers> sequence;
        BiConsumer<Path, RotationReason> onRotation;

        Values(WriterOptions from) {
            isCompact = from.isCompact;
            compressFrom = from.compressFrom;
            maxFileSize = from.maxFileSize;
            maxAge = from.maxAge;
            syncInterval = from.syncInterval;
            mode = from.mode;
            machineId = from.machineId;
            sequence = from.sequence;
            onRotation = from.onRotation;
        }
    }
}
