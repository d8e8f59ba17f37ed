package io.holdfast.receiver.store;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Removes archived files, the oldest first, until the rest is within the limits of a {@link
 * StorePlace}. Files in use are never removed. Blocking; owned by one thread.
 */
final class Vacuum {
    private final StorePlace place;

    Vacuum(StorePlace place) {
        this.place = place;
    }

    private record Archived(Path path, long bytes, Instant changed) {}

    /**
     * Removes what is too much.
     *
     * @return how many files were removed
     */
    int run() throws IOException {
        List<Archived> archived = new ArrayList<>();
        long total = 0;
        try (Stream<Path> files = Files.list(place.folder())) {
            for (Path path : (Iterable<Path>) files::iterator) {
                String name = String.valueOf(path.getFileName());
                if (!name.endsWith(".journal") && !name.endsWith(".journal~")) {
                    continue;
                }
                try {
                    long bytes = Files.size(path);
                    total += bytes;
                    if (name.indexOf('@') > 0) {
                        Instant changed = Files.getLastModifiedTime(path).toInstant();
                        archived.add(new Archived(path, bytes, changed));
                    }
                } catch (NoSuchFileException e) {
                    // removed by someone else meanwhile
                }
            }
        }
        archived.sort(Comparator.comparing(Archived::changed));
        int removed = 0;
        for (Archived file : archived) {
            if (!isTooMuch(total, archived.size() - removed, file.changed())) {
                break;
            }
            Files.deleteIfExists(file.path());
            total -= file.bytes();
            removed++;
        }
        return removed;
    }

    private boolean isTooMuch(long total, int files, Instant changed) throws IOException {
        FileStore disk = Files.getFileStore(place.folder());
        return total > place.mostBytes()
                || files > place.mostFiles()
                || changed.isBefore(Instant.now().minus(place.mostAge()))
                || disk.getUsableSpace() < place.keepFree();
    }
}
