package io.holdfast.receiver.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/**
 * Removes archived files until the rest is within the limits of a {@link StorePlace}. Files in use
 * are never removed. Blocking; owned by one thread.
 *
 * <p>The files of a user are told by their names ({@code user-UID@…}); all others belong to the
 * system. Of whoever has the most, the oldest file is removed first: a user who logs much pays with
 * the user's own messages. While others fill the disk, the files do not grow in sum, and as in
 * journald none is removed to give way to them: a user who fills the disk destroys no message.
 */
final class Vacuum {
    private final StorePlace place;
    private long kept = -1; // bytes of all files while the disk had room; -1: not known yet

    Vacuum(StorePlace place) {
        this.place = place;
    }

    private record Archived(Path path, String owner, long bytes, Instant changed) {}

    /** What one owner has: of all files the bytes, of archived ones the number. */
    private static final class Holding {
        long bytes;
        int archived;
    }

    /**
     * Removes what is too much.
     *
     * @return how many files were removed
     */
    int run() throws IOException {
        List<Archived> archived = new ArrayList<>();
        Map<String, Holding> holdings = new HashMap<>();
        list(archived, holdings);
        archived.sort(Comparator.comparing(Archived::changed));
        int before = archived.size();
        Instant oldest = Instant.now().minus(place.mostAge());
        while (!archived.isEmpty() && archived.getFirst().changed().isBefore(oldest)) {
            remove(archived.getFirst(), archived, holdings);
        }
        while (archived.size() > place.mostFiles()) {
            remove(next(archived, holdings, each -> each.archived), archived, holdings);
        }
        long most = mostBytes(total(holdings));
        while (!archived.isEmpty() && total(holdings) > most) {
            remove(next(archived, holdings, each -> each.bytes), archived, holdings);
        }
        return before - archived.size();
    }

    private void list(List<Archived> archived, Map<String, Holding> holdings) throws IOException {
        try (Stream<Path> files = Files.list(place.folder())) {
            for (Path path : (Iterable<Path>) files::iterator) {
                String name = String.valueOf(path.getFileName());
                if (!name.endsWith(".journal") && !name.endsWith(".journal~")) {
                    continue;
                }
                int at = name.indexOf('@');
                String owner = name.substring(0, at > 0 ? at : name.lastIndexOf(".journal"));
                try {
                    long bytes = Files.size(path);
                    Instant changed = Files.getLastModifiedTime(path).toInstant();
                    Holding holding = holdings.computeIfAbsent(owner, _ -> new Holding());
                    holding.bytes += bytes;
                    if (at > 0) {
                        holding.archived++;
                        archived.add(new Archived(path, owner, bytes, changed));
                    }
                } catch (NoSuchFileException e) {
                    // removed by someone else meanwhile
                }
            }
        }
    }

    private static void remove(
            Archived file, List<Archived> archived, Map<String, Holding> holdings)
            throws IOException {
        boolean _ = Files.deleteIfExists(file.path());
        Holding holding = of(file, holdings);
        holding.bytes -= file.bytes();
        holding.archived--;
        boolean _ = archived.remove(file);
    }

    private static Holding of(Archived file, Map<String, Holding> holdings) {
        return holdings.computeIfAbsent(file.owner(), _ -> new Holding());
    }

    /** Returns the oldest archived file of the owner who has the most. */
    private static Archived next(
            List<Archived> archived, Map<String, Holding> holdings, ToLongFunction<Holding> what) {
        Archived next = archived.getFirst();
        for (Archived file : archived) { // the first of those that are equal
            if (what.applyAsLong(of(file, holdings)) > what.applyAsLong(of(next, holdings))) {
                next = file;
            }
        }
        return next;
    }

    private static long total(Map<String, Holding> holdings) {
        return holdings.values().stream().mapToLong(each -> each.bytes).sum();
    }

    /**
     * Returns how many bytes all files may have. On a full disk, only what has grown is given back.
     */
    private long mostBytes(long total) throws IOException {
        long missing = place.keepFree() - Files.getFileStore(place.folder()).getUsableSpace();
        if (missing <= 0 || kept < 0) {
            kept = total;
        }
        return Math.min(place.mostBytes(), missing <= 0 ? total : Math.max(kept, total - missing));
    }
}
