package io.holdfast.manager.catalog;

import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.FileStamp;
import io.holdfast.manager.unit.file.UnitFolders;
import io.holdfast.manager.unit.file.UnitLoader;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.Unit;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Units as they were last read. A unit is read again if the folders of unit files have been scanned
 * again, or if one of the files and folders that it consists of has another stamp. A unit whose
 * files have only just changed is not kept: a second change within the resolution of their times
 * would not be noticed. At most {@link ManagerLimits#UNITS} are kept, the last used ones. Blocking;
 * safe for use by any thread.
 */
final class KeptUnits {
    /** A unit with the loader that read it; with none, it is read again at the next use. */
    private record Kept(@Nullable UnitLoader loader, List<FileStamp> stamps, Unit unit) {}

    private final Duration resolution;
    private final Map<UnitName, Kept> units =
            new LinkedHashMap<>(16, 0.75f, true) {
                private static final long serialVersionUID = 1L;

                @Override
                protected boolean removeEldestEntry(Map.Entry<UnitName, Kept> eldest) {
                    return size() > ManagerLimits.UNITS.intValue();
                }
            };

    private long read;

    /**
     * @param resolution of the times of files, or more
     */
    KeptUnits(Duration resolution) {
        this.resolution = resolution;
    }

    /**
     * Returns a unit as its files are now.
     *
     * @param reader reads the unit from the loader's files
     * @param mayKeep whether a unit that was read may be kept
     */
    Unit unit(
            UnitName name,
            UnitLoader loader,
            Function<UnitName, Unit> reader,
            Function<UnitSource, Boolean> mayKeep) {
        Kept kept = kept(name);
        if (kept != null
                && kept.loader() == loader
                && stamps(loader, kept.unit().source()).filter(kept.stamps()::equals).isPresent()) {
            return kept.unit();
        }
        Instant settled = UnitFolders.settled(resolution);
        Unit read = reader.apply(name);
        Unit unit = kept != null && kept.unit().equals(read) ? kept.unit() : read;
        Optional<List<FileStamp>> stamps =
                stamps(loader, unit.source())
                        .filter(_ -> mayKeep.apply(unit.source()))
                        .filter(all -> all.stream().allMatch(stamp -> stamp.isBefore(settled)));
        note(name, stamps.map(all -> new Kept(loader, all, unit)).orElse(null));
        return unit;
    }

    /** Returns the stamps of all its files and folders; empty if one of them is missing. */
    private static Optional<List<FileStamp>> stamps(UnitLoader loader, UnitSource unit) {
        List<FileStamp> stamps = new ArrayList<>();
        for (Path part : loader.parts(unit)) {
            Optional<FileStamp> stamp = FileStamp.of(part);
            if (stamp.isEmpty()) {
                return Optional.empty();
            }
            stamps.add(stamp.get());
        }
        return Optional.of(List.copyOf(stamps));
    }

    private synchronized @Nullable Kept kept(UnitName name) {
        return units.get(name);
    }

    private synchronized void note(UnitName name, @Nullable Kept kept) {
        read++;
        if (kept == null) {
            units.remove(name);
        } else {
            units.put(name, kept);
        }
    }

    /**
     * Makes all units be read again. A unit that has not changed stays the same object, of which
     * the table of units has another reference.
     */
    synchronized void readAgain() {
        units.replaceAll((_, kept) -> new Kept(null, kept.stamps(), kept.unit()));
    }

    /** Returns how many units were read from their files. */
    synchronized long read() {
        return read;
    }
}
