package io.holdfast.manager.unit.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The folders of unit files, which are scanned again only if one of them has changed: the names,
 * folders and links in a folder determine its modification time. File contents are read each time.
 *
 * <p>A change that follows another within the resolution of that time would be missed, so the scan
 * of a folder that has just changed is not kept. Changes of link targets outside of the folders are
 * noticed only after {@link #forget}. Blocking; safe for use by any thread.
 */
public final class UnitFolders {
    /** Coarser than the timestamps of any file system that unit files are on. */
    public static final Duration RESOLUTION = Duration.ofSeconds(2);

    /** Identifies one state of a folder. */
    private record Stamp(@Nullable Object file, FileTime modified) {}

    private record Scan(List<Optional<Stamp>> stamps, UnitLoader loader) {}

    private final LoadPath path;
    private @Nullable Scan kept;
    private long scans;

    public UnitFolders(LoadPath path) {
        this.path = path;
    }

    /** Returns the present content of the folders. */
    public synchronized UnitLoader loader() {
        List<Optional<Stamp>> now = path.folders().stream().map(UnitFolders::stamp).toList();
        Scan known = kept;
        if (known != null && known.stamps().equals(now)) {
            return known.loader();
        }
        Instant settled = settled(RESOLUTION);
        UnitLoader loader = UnitLoader.scan(path);
        scans++;
        kept = isSettled(now, settled) ? new Scan(now, loader) : null;
        return loader;
    }

    /** Returns the time before which a change cannot be followed by another one unnoticed. */
    public static Instant settled(Duration resolution) {
        return Instant.now().minus(resolution);
    }

    private static boolean isSettled(List<Optional<Stamp>> stamps, Instant before) {
        return stamps.stream()
                .flatMap(Optional::stream)
                .allMatch(stamp -> stamp.modified().toInstant().isBefore(before));
    }

    private static Optional<Stamp> stamp(Path folder) {
        try {
            BasicFileAttributes now = Files.readAttributes(folder, BasicFileAttributes.class);
            return Optional.of(new Stamp(now.fileKey(), now.lastModifiedTime()));
        } catch (IOException e) {
            return Optional.empty(); // it is skipped
        }
    }

    /** Makes the next {@link #loader} scan the folders again. */
    public synchronized void forget() {
        kept = null;
    }

    /** {@return how often the folders were scanned} */
    public synchronized long scans() {
        return scans;
    }
}
