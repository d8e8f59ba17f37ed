package io.holdfast.manager.unit.file;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Diagnostics;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.UnitName;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The content of the folders of a load path, by unit name. Immutable once scanned. */
public final class UnitIndex {
    /** Names that are kept; further ones are ignored and reported. */
    static final int MAX_NAMES = 1 << 16;

    /** The suffixes of folders that add to a unit. */
    static final List<String> SUBFOLDERS = List.of(".d", ".wants", ".requires", ".upholds");

    private static final Path NULL = Path.of("/dev/null");

    sealed interface Entry {}

    /**
     * A unit file, or a link to one outside of the folders. Its folder, which it shares with the
     * others, and its name take less memory than its path.
     */
    record Fragment(Path folder, String name) implements Entry {
        Path file() {
            return folder.resolve(name);
        }
    }

    /** A link to another name. */
    record Alias(UnitName target, Path link) implements Entry {}

    /** A link to {@code /dev/null}. */
    record Masked(Path link) implements Entry {}

    private final LoadPath path;
    private final Map<UnitName, Entry> entries = new HashMap<>();
    private final Map<UnitName, SortedSet<UnitName>> aliases = new HashMap<>();
    private final Set<Path> subfolders = new HashSet<>();
    private final Map<String, Set<String>> subfolderNames = new HashMap<>(); // by suffix
    private final Diagnostics diagnostics = new Diagnostics();

    private UnitIndex(LoadPath path) {
        this.path = path;
    }

    static UnitIndex scan(LoadPath path) {
        UnitIndex index = new UnitIndex(path);
        Set<Path> places = new HashSet<>(path.folders());
        path.folders().forEach(folder -> places.add(real(folder)));
        for (Path folder : path.folders()) {
            for (Path file : list(folder)) {
                index.add(folder, file, places);
            }
        }
        index.entries.forEach((name, entry) -> {
            if (entry instanceof Alias(UnitName target, Path _)) {
                index.aliases.computeIfAbsent(target, _ -> new TreeSet<>()).add(name);
            }
        });
        return index;
    }

    @Nullable Entry entry(UnitName name) {
        return entries.get(name);
    }

    /** Follows the links of a file of another system, which mean that system's files. */
    Path inside(Path file) {
        return path.root().followInside(file);
    }

    /** Returns the unit that the generator makes, which no folder has. */
    Optional<UnitGenerator.Generated> generated(UnitName name) {
        return path.generator().generate(name);
    }

    /** Returns the names that link to this one. */
    Set<UnitName> aliasesOf(UnitName name) {
        return aliases.getOrDefault(name, Collections.emptySortedSet());
    }

    SortedSet<UnitName> names() {
        return Collections.unmodifiableSortedSet(new TreeSet<>(entries.keySet()));
    }

    List<Diagnostic> diagnostics() {
        return diagnostics.toList();
    }

    /**
     * Returns the folders that add to a unit of these names, in the order of precedence: for each
     * name, in each folder of the load path, {@code NAME.d}, the one of its template, and those of
     * its prefixes up to each dash, also without an instance; {@code TYPE.d} comes last.
     */
    List<Path> folders(List<UnitName> names, String suffix) {
        Set<String> known = subfolderNames.getOrDefault(suffix, Set.of());
        if (known.isEmpty()) {
            return List.of();
        }
        List<Path> found = new ArrayList<>();
        for (UnitName name : names) {
            addFolders(named(name, suffix), known, found);
        }
        String type = names.getFirst().type().suffix().substring(1);
        addFolders(List.of(type + suffix), known, found);
        return found;
    }

    /** Returns how folders for a unit of this name are named. */
    private static List<String> named(UnitName name, String suffix) {
        List<String> named = new ArrayList<>();
        String rest = name.stem().substring(name.prefix().length()); // "" or @instance
        String end = name.type().suffix() + suffix;
        String prefix = name.prefix();
        while (true) {
            named.add(prefix + rest + end);
            if (rest.length() > 1) {
                named.add(prefix + "@" + end);
            }
            if (!rest.isEmpty() && !prefix.equals(name.prefix())) {
                named.add(prefix + end);
            }
            int dash = prefix.lastIndexOf('-', prefix.length() - 2);
            if (dash <= 0) {
                return named;
            }
            prefix = prefix.substring(0, dash + 1);
        }
    }

    private void addFolders(List<String> named, Set<String> known, List<Path> found) {
        List<String> there = named.stream().filter(known::contains).toList();
        if (there.isEmpty()) { // as for most units
            return;
        }
        for (Path folder : path.folders()) {
            for (String name : there) {
                Path subfolder = folder.resolve(name);
                if (subfolders.contains(subfolder) && !found.contains(subfolder)) {
                    found.add(subfolder);
                }
            }
        }
    }

    private void add(Path folder, Path file, Set<Path> places) {
        String fileName = file.getFileName().toString();
        Optional<String> suffix = subfolderSuffix(fileName);
        if (suffix.isPresent() && Files.isDirectory(file)) {
            subfolders.add(file);
            subfolderNames.computeIfAbsent(suffix.get(), _ -> new HashSet<>()).add(fileName);
            return;
        }
        Optional<UnitName> name = UnitName.parse(fileName);
        if (name.isEmpty() || entries.containsKey(name.get())) {
            return;
        }
        if (entries.size() >= MAX_NAMES) {
            diagnostics.addOnce(
                    "MAX_NAMES",
                    new UnitFilePlace(file.toString(), 0),
                    Diagnostic.Kind.IGNORED,
                    "more than " + MAX_NAMES + " units; this and later ones ignored");
            return;
        }
        if (!Files.isSymbolicLink(file)) {
            if (!Files.isDirectory(file)) {
                entries.put(name.get(), new Fragment(folder, fileName));
            }
        } else if (isNull(file)) {
            entries.put(name.get(), new Masked(file));
        } else {
            addLink(name.get(), file, places);
        }
    }

    private static Optional<String> subfolderSuffix(String fileName) {
        return SUBFOLDERS.stream().filter(fileName::endsWith).findFirst();
    }

    private void addLink(UnitName name, Path link, Set<Path> places) {
        Path target = target(link);
        boolean inside =
                target != null
                        && target.getParent() != null
                        && places.contains(real(target.getParent()));
        if (target == null || !inside || target.getFileName().toString().equals(name.text())) {
            Path file = inside(link);
            entries.put(
                    name,
                    new Fragment(
                            Objects.requireNonNull(file.getParent()),
                            file.getFileName().toString()));
            return;
        }
        Optional<UnitName> other = UnitName.parse(target.getFileName().toString());
        String problem = other.isEmpty() ? "no unit" : problem(name, other.get());
        if (problem.isEmpty()) {
            entries.put(name, new Alias(other.orElseThrow(), link));
        } else {
            diagnostics.add(
                    new UnitFilePlace(link.toString(), 0),
                    Diagnostic.Kind.IGNORED,
                    "cannot be an alias of "
                            + target.getFileName()
                            + " ("
                            + problem
                            + "); ignored");
        }
    }

    /** Returns why a name cannot be an alias of another; empty if it can. */
    private static String problem(UnitName alias, UnitName target) {
        if (alias.type() != target.type()) {
            return "another type";
        }
        if (!alias.type().mayHaveAliases()) {
            return "this type has no aliases";
        }
        boolean sameShape =
                alias.isPlain() == target.isPlain() && alias.isTemplate() == target.isTemplate();
        if (!sameShape && !(alias.isInstance() && target.isTemplate())) {
            return "plain names, templates and instances do not mix";
        }
        return target.isInstance() && !alias.instance().equals(target.instance())
                ? "another instance"
                : "";
    }

    /**
     * Returns the target of a link, absolute and without following further links; null if it cannot
     * be read.
     */
    private @Nullable Path target(Path link) {
        try {
            Path parent = link.getParent();
            Path target = Files.readSymbolicLink(link);
            if (target.isAbsolute() && link.startsWith(path.root().folder())) {
                target = path.root().place(target);
            }
            return (parent == null ? target : parent.resolve(target)).normalize();
        } catch (IOException e) {
            return null;
        }
    }

    private static Path real(Path folder) {
        try {
            return folder.toRealPath();
        } catch (IOException e) {
            return folder;
        }
    }

    /** Returns whether it is {@code /dev/null} or a link to it. */
    static boolean isNull(Path file) {
        try {
            return file.toRealPath().equals(NULL);
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Returns the entries of a folder; none if it is missing or we may not read it.
     *
     * @throws UncheckedIOException if it cannot be read at present, for example for lack of
     *     descriptors: that is not the same as an empty folder
     */
    public static List<Path> list(Path folder) {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            entries.forEach(files::add);
        } catch (NoSuchFileException | NotDirectoryException | AccessDeniedException e) {
            return List.of();
        } catch (DirectoryIteratorException e) {
            IOException cause = Objects.requireNonNull(e.getCause());
            throw new UncheckedIOException("unit files: " + cause.getMessage(), cause);
        } catch (IOException e) {
            throw new UncheckedIOException("unit files: " + e.getMessage(), e);
        }
        Collections.sort(files);
        return files;
    }
}
