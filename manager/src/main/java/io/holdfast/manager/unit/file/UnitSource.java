package io.holdfast.manager.unit.file;

import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * The files of one unit: its fragment, its drop-ins in the order in which they apply, and the
 * dependencies that links in folders add. Immutable.
 *
 * @param name the unit's own name, even if it was requested by an alias
 * @param names all its names, including its own, sorted
 * @param fragment the unit file; for {@link State#MASKED} the file that masks it
 * @param dropIns paths, as applied
 * @param files the parsed fragment and drop-ins, as applied
 * @param links dependencies from {@code .wants}, {@code .requires} and {@code .upholds} folders
 * @param diagnostics of the search and of the files' lines
 */
public record UnitSource(
        UnitName name,
        Set<UnitName> names,
        State state,
        Optional<Path> fragment,
        List<Path> dropIns,
        List<UnitFile> files,
        List<Link> links,
        List<Diagnostic> diagnostics) {

    /** The result of the search for a unit's files. */
    public enum State {
        LOADED,
        /** Masked by an empty file or a link to {@code /dev/null}. */
        MASKED,
        NOT_FOUND
    }

    /** A dependency by a link in a folder. */
    public record Link(Dependency kind, UnitName unit, Path path) {}

    public UnitSource {
        names =
                names.size() == 1 // as of most units
                        ? Set.copyOf(names)
                        : Collections.unmodifiableSortedSet(new TreeSet<>(names));
        dropIns = List.copyOf(dropIns);
        files = List.copyOf(files);
        links = List.copyOf(links);
        diagnostics = List.copyOf(diagnostics);
    }

    /**
     * Returns the last line of a directive whose value contains a text, or the file as a whole.
     *
     * @param text "" for any value
     */
    public UnitFilePlace placeOf(String directive, String text) {
        UnitFilePlace found = null;
        for (UnitFile file : files) {
            for (UnitFile.Section section : file.sections()) {
                for (UnitFile.Entry entry : section.entries()) {
                    if (entry.key().equals(directive) && entry.value().contains(text)) {
                        found = entry.place();
                    }
                }
            }
        }
        return found != null
                ? found
                : new UnitFilePlace(fragment.map(Path::toString).orElse(name.text()), 0);
    }

    /** Creates the result of a search that found no file. */
    public static UnitSource notFound(UnitName name) {
        return new UnitSource(
                name,
                Set.of(name),
                State.NOT_FOUND,
                Optional.empty(),
                List.of(),
                List.of(),
                List.of(),
                List.of());
    }

    /** Creates a source without files on disk, for transient units. */
    public static UnitSource inMemory(UnitName name, UnitFile... files) {
        List<Diagnostic> diagnostics = new ArrayList<>();
        for (UnitFile file : files) {
            diagnostics.addAll(file.diagnostics());
        }
        return new UnitSource(
                name,
                Set.of(name),
                State.LOADED,
                Optional.empty(),
                List.of(),
                List.of(files),
                List.of(),
                diagnostics);
    }
}
