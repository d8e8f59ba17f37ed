package io.holdfast.receiver;

import io.holdfast.receiver.store.StorePlace;
import java.time.Duration;
import java.util.Optional;

/**
 * What an administrator has decided about files and rates, as in journald.conf(5). Immutable. As
 * there, a size or number of files of 0 means no limit.
 *
 * @param maxUse the most bytes of all files
 * @param keepFree the bytes of the file system that stay free for others
 * @param maxFileSize the size in bytes at which a file is rotated
 * @param maxFiles how many archived files are kept
 * @param maxRetention how long archived files are kept
 * @param maxFileAge the age at which a file is rotated
 * @param syncInterval how long entries may be in memory only
 * @param rateInterval the interval of the rate limit of units and users; 0: no limit
 * @param rateBurst the messages within one interval; 0: no limit
 */
public record StorageLimits(
        Optional<Long> maxUse,
        Optional<Long> keepFree,
        Optional<Long> maxFileSize,
        Optional<Integer> maxFiles,
        Optional<Duration> maxRetention,
        Optional<Duration> maxFileAge,
        Optional<Duration> syncInterval,
        Optional<Duration> rateInterval,
        Optional<Integer> rateBurst) {
    /** Those of journald, where nobody has decided. */
    public static final StorageLimits STANDARD =
            new StorageLimits(
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty());

    /** Returns a place with these limits. */
    StorePlace applied(StorePlace place) {
        long most =
                maxUse.map(StorageLimits::orUnlimited)
                        .map(bytes -> Math.max(bytes, StorePlace.LEAST))
                        .orElse(place.mostBytes());
        return new StorePlace(
                place.folder(),
                place.splitUsers(),
                most,
                keepFree.orElse(place.keepFree()),
                maxFiles.map(files -> files == 0 ? Integer.MAX_VALUE : files)
                        .orElse(place.mostFiles()),
                maxRetention.orElse(place.mostAge()),
                StorePlace.fileBytes(
                        maxFileSize.map(StorageLimits::orUnlimited).orElse(Long.MAX_VALUE), most),
                place.waitingBytes(),
                place.userFiles(),
                maxFileAge.orElse(place.fileAge()),
                syncInterval.orElse(place.syncInterval()));
    }

    private static long orUnlimited(long bytes) {
        return bytes == 0 ? Long.MAX_VALUE : bytes;
    }

    BurstLimit.Rate rate() {
        return new BurstLimit.Rate(
                rateBurst.orElse(ReceiverLimits.RATE_BURST.intValue()),
                rateInterval.orElse(ReceiverLimits.RATE_INTERVAL.duration()).toNanos());
    }
}
