package io.holdfast.manager.unit.file;

import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Diagnostics;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.UnitName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Finds the files that make up a unit. {@link #scan} remembers which names, folders and links
 * exist: to notice new ones, scan again (as {@code daemon-reload} does). File contents are read at
 * each {@link #load}. Thread-safe.
 *
 * @see <a
 *     href="https://www.freedesktop.org/software/systemd/man/systemd.unit.html">systemd.unit</a>
 */
public final class UnitLoader {
    /** Aliases of aliases that are followed. */
    public static final int MAX_ALIAS_STEPS = 8;

    /**
     * Drop-ins, and links of each kind of folder, of one unit; further ones are ignored and
     * reported.
     */
    public static final int MAX_DROP_INS = 512;

    private final UnitIndex index;

    private UnitLoader(UnitIndex index) {
        this.index = index;
    }

    /**
     * Scans each folder once. Missing folders are skipped.
     *
     * @throws UncheckedIOException if a folder cannot be read
     */
    public static UnitLoader scan(LoadPath path) {
        return new UnitLoader(UnitIndex.scan(path));
    }

    /** Returns all names of files and aliases; that includes templates, but few instances. */
    public SortedSet<UnitName> names() {
        return index.names();
    }

    /** Returns the diagnostics about the folders themselves: links that cannot be aliases. */
    public List<Diagnostic> diagnostics() {
        return index.diagnostics();
    }

    /**
     * Reads the files that make up this unit; a unit without files is {@code NOT_FOUND}.
     *
     * @throws UncheckedIOException if they cannot be read because of a lack of descriptors or
     *     memory
     */
    public UnitSource load(UnitName wanted) {
        return new Search(wanted, false).load();
    }

    /** Returns the files and folders that decide about a unit, beside the folders of the path. */
    public List<Path> parts(UnitSource unit) {
        List<Path> parts = new ArrayList<>();
        unit.fragment().ifPresent(parts::add);
        parts.addAll(unit.dropIns());
        List<UnitName> names = ordered(unit.name(), unit.names());
        for (String suffix : UnitIndex.SUBFOLDERS) {
            parts.addAll(index.folders(names, suffix));
        }
        return parts;
    }

    private static List<UnitName> ordered(UnitName name, Set<UnitName> names) {
        List<UnitName> ordered = new ArrayList<>(names);
        ordered.remove(name);
        ordered.addFirst(name);
        return ordered;
    }

    /** Reads the files of a transient unit, whose unit file the manager itself has written. */
    public UnitSource loadTransient(UnitName wanted) {
        return new Search(wanted, true).load();
    }

    /** The search for one unit. */
    private final class Search {
        private final UnitName wanted;
        private final boolean made;
        private final Diagnostics diagnostics = new Diagnostics();

        /**
         * @param made whether the manager has made the unit at run time
         */
        Search(UnitName wanted, boolean made) {
            this.wanted = wanted;
            this.made = made;
        }

        UnitSource load() {
            UnitName name = wanted;
            if (name.type().isTransient() && !made) {
                return refuseTransient();
            }
            for (int step = 0; step <= MAX_ALIAS_STEPS; step++) {
                UnitIndex.Entry entry = entry(name);
                switch (entry) {
                    case null -> {
                        return withoutFile(name);
                    }
                    case UnitIndex.Fragment fragment -> {
                        Path file = fragment.file();
                        return isGone(file)
                                ? gone(name, file)
                                : isEmpty(file)
                                        ? without(name, UnitSource.State.MASKED, Optional.of(file))
                                        : found(
                                                name,
                                                Optional.of(file),
                                                List.of(
                                                        UnitFile.read(
                                                                file, UnitFile.Role.FRAGMENT)));
                    }
                    case UnitIndex.Masked(Path link) -> {
                        return without(name, UnitSource.State.MASKED, Optional.of(link));
                    }
                    case UnitIndex.Alias(UnitName target, Path _) -> name = follow(name, target);
                }
            }
            diagnostics.add(
                    new UnitFilePlace(wanted.text(), 0),
                    Diagnostic.Kind.REFUSED,
                    "more than " + MAX_ALIAS_STEPS + " aliases lead to each other");
            return without(wanted, UnitSource.State.NOT_FOUND, Optional.empty());
        }

        private UnitSource withoutFile(UnitName name) {
            Optional<UnitGenerator.Generated> made = index.generated(name);
            if (made.isPresent()) {
                Path source = made.get().source();
                return found(
                        name,
                        Optional.of(source),
                        List.of(UnitFile.parse(source.toString(), made.get().text())));
            }
            return name.type().isImplicit() && !name.isTemplate()
                    ? found(name, Optional.empty(), List.of())
                    : without(name, UnitSource.State.NOT_FOUND, Optional.empty());
        }

        private UnitSource refuseTransient() {
            if (index.entry(wanted) != null) {
                diagnostics.add(
                        new UnitFilePlace(wanted.text(), 0),
                        Diagnostic.Kind.REFUSED,
                        "scope units are created at run time only: its file has no effect");
            }
            return without(wanted, UnitSource.State.NOT_FOUND, Optional.empty());
        }

        /**
         * Reports a link whose target is missing or not a regular file, or a file that was removed
         * since the scan.
         */
        private UnitSource gone(UnitName name, Path file) {
            diagnostics.add(
                    new UnitFilePlace(file.toString(), 0),
                    Diagnostic.Kind.REFUSED,
                    Files.exists(file)
                            ? "not a regular file"
                            : Files.isSymbolicLink(file)
                                    ? "a link to a file that is missing"
                                    : "missing");
            return without(name, UnitSource.State.NOT_FOUND, Optional.empty());
        }

        private UnitIndex.@Nullable Entry entry(UnitName name) {
            UnitIndex.Entry own = index.entry(name);
            if (!name.isInstance()) {
                return own;
            }
            UnitName template = name.template().orElseThrow();
            boolean isOwnTemplate =
                    own instanceof UnitIndex.Alias(UnitName target, Path _)
                            && target.equals(template);
            return own == null || isOwnTemplate ? index.entry(template) : own;
        }

        private UnitSource without(UnitName name, UnitSource.State state, Optional<Path> file) {
            return new UnitSource(
                    name,
                    new TreeSet<>(List.of(name, wanted)),
                    state,
                    file,
                    List.of(),
                    List.of(),
                    List.of(),
                    diagnostics.toList());
        }

        private UnitSource found(UnitName name, Optional<Path> fragment, List<UnitFile> own) {
            SortedSet<UnitName> names = names(name);
            List<UnitName> ordered = ordered(name, names);
            List<UnitFile> files = new ArrayList<>(own);
            List<Path> dropIns = dropIns(ordered);
            dropIns.forEach(dropIn -> files.add(UnitFile.read(dropIn, UnitFile.Role.DROP_IN)));
            files.forEach(file -> diagnostics.addAll(file.diagnostics()));
            List<UnitSource.Link> links = new ArrayList<>();
            addLinks(ordered, ".requires", Dependency.REQUIRES, links);
            addLinks(ordered, ".wants", Dependency.WANTS, links);
            addLinks(ordered, ".upholds", Dependency.UPHOLDS, links);
            return new UnitSource(
                    name,
                    names,
                    UnitSource.State.LOADED,
                    fragment,
                    dropIns,
                    files,
                    links,
                    diagnostics.toList());
        }

        /** Returns the name and all its direct and indirect aliases. */
        private SortedSet<UnitName> names(UnitName name) {
            SortedSet<UnitName> names = new TreeSet<>();
            Deque<UnitName> open = new ArrayDeque<>(List.of(name));
            while (!open.isEmpty()) {
                UnitName next = open.removeFirst();
                if (!names.add(next)) {
                    continue;
                }
                index.aliasesOf(next).stream()
                        .filter(alias -> alias.isTemplate() == next.isTemplate())
                        .forEach(open::add);
                if (next.isInstance()) {
                    String instance = next.instance().orElseThrow();
                    for (UnitName alias : index.aliasesOf(next.template().orElseThrow())) {
                        if (alias.isTemplate()) {
                            UnitName.parse(follow(next, alias).text()).ifPresent(open::add);
                        } else if (alias.instance().equals(Optional.of(instance))) {
                            open.add(alias);
                        }
                    }
                }
            }
            names.add(wanted);
            return names;
        }

        private List<Path> dropIns(List<UnitName> names) {
            Map<String, Path> byFileName = new TreeMap<>();
            for (Path folder : index.folders(names, ".d")) {
                for (Path file : UnitIndex.list(folder)) {
                    String fileName = file.getFileName().toString();
                    if (fileName.endsWith(".conf") && !fileName.startsWith(".")) {
                        byFileName.putIfAbsent(fileName, index.inside(file));
                    }
                }
            }
            List<Path> applied = new ArrayList<>();
            for (Path file : byFileName.values()) {
                if (!UnitIndex.isNull(file) && !Files.isDirectory(file) && fits(applied, file)) {
                    applied.add(file);
                }
            }
            return applied;
        }

        private void addLinks(
                List<UnitName> names, String suffix, Dependency kind, List<UnitSource.Link> to) {
            Map<String, Path> byFileName = new TreeMap<>();
            for (Path folder : index.folders(names, suffix)) {
                for (Path link : UnitIndex.list(folder)) {
                    byFileName.putIfAbsent(link.getFileName().toString(), link);
                }
            }
            List<Path> used = new ArrayList<>();
            byFileName.forEach((fileName, link) -> {
                if (UnitIndex.isNull(link) || isEmpty(link)) {
                    return; // masked
                }
                Optional<UnitName> unit = UnitName.parse(fileName);
                if (unit.isEmpty()) {
                    diagnostics.add(
                            new UnitFilePlace(link.toString(), 0),
                            Diagnostic.Kind.IGNORED,
                            "not the name of a unit; ignored");
                } else if (fits(used, link)) {
                    used.add(link);
                    to.add(
                            new UnitSource.Link(
                                    kind, instantiate(unit.get(), names.getFirst()), link));
                }
            });
        }

        private boolean fits(List<Path> already, Path next) {
            if (already.size() < MAX_DROP_INS) {
                return true;
            }
            diagnostics.addOnce(
                    String.valueOf(next.getParent()),
                    new UnitFilePlace(next.toString(), 0),
                    Diagnostic.Kind.IGNORED,
                    "more than "
                            + MAX_DROP_INS
                            + " files for one unit; this and later ones ignored");
            return false;
        }
    }

    /** Returns the target of an alias; a template gets the instance of the alias. */
    private static UnitName follow(UnitName from, UnitName target) {
        return target.isTemplate() && from.isInstance() ? instantiate(target, from) : target;
    }

    /**
     * Returns the unit that a reference in another unit means: a template stands for its instance
     * with the other unit's instance, or prefix if it has none. If that name is too long, returns
     * the template.
     */
    public static UnitName instantiate(UnitName unit, UnitName by) {
        if (!unit.isTemplate()) {
            return unit;
        }
        String instance = by.instance().orElse(by.prefix());
        return UnitName.parse(unit.prefix() + "@" + instance + unit.type().suffix()).orElse(unit);
    }

    /** Returns whether there is no regular file; false if that may not be known. */
    private static boolean isGone(Path file) {
        try {
            return !Files.readAttributes(file, BasicFileAttributes.class).isRegularFile();
        } catch (AccessDeniedException e) {
            return false;
        } catch (IOException e) { // it is missing, or the link leads to itself
            return true;
        }
    }

    private static boolean isEmpty(Path file) {
        try {
            return Files.isRegularFile(file) && Files.size(file) == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
