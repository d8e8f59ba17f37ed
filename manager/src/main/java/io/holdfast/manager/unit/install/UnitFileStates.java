package io.holdfast.manager.unit.install;

import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.InstallSection;
import io.holdfast.manager.unit.section.Unit;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * A snapshot of which units are enabled: the links in the folders of unit files, by the rules of
 * {@code systemctl is-enabled}. Blocking to make; immutable.
 */
public final class UnitFileStates {
    /** A state as {@code systemctl is-enabled} prints it. */
    public enum State {
        ENABLED,
        ENABLED_RUNTIME,
        /** Its file is elsewhere; a link makes it available. */
        LINKED,
        LINKED_RUNTIME,
        /** It has no [Install] section, so it cannot be enabled. */
        STATIC,
        DISABLED,
        MASKED,
        MASKED_RUNTIME,
        /** It is in use by a link that its [Install] section does not name, or by Also=. */
        INDIRECT,
        GENERATED,
        TRANSIENT,
        ALIAS,
        /** There is an entry of this name that leads to no file. */
        BAD,
        NOT_FOUND;

        /** Returns the word that {@code systemctl is-enabled} prints. */
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** How long what a folder enables stays enabled. */
    private enum Lifetime {
        PERSISTENT,
        RUNTIME,
        /** Part of the installed system, which enables nothing. */
        VENDOR
    }

    /**
     * A link.
     *
     * @param folder the index of the folder of unit files that it is in, or below
     * @param isDirect whether it is in that folder itself, not in a {@code .wants} folder of it
     * @param target the file name that it leads to
     */
    private record Link(int folder, boolean isDirect, String name, String target) {}

    private final InstallFolders folders;
    private final LoadPath path;
    private final Map<String, List<Link>> links = new HashMap<>(); // by name, and by target

    private UnitFileStates(InstallFolders folders) {
        this.folders = folders;
        this.path = folders.path();
    }

    /** Reads the links in the folders. */
    public static UnitFileStates read(InstallFolders folders) {
        UnitFileStates states = new UnitFileStates(folders);
        LoadPath path = folders.path();
        for (int i = 0; i < path.folders().size(); i++) {
            states.addFolder(i, path.folders().get(i));
        }
        return states;
    }

    private void addFolder(int index, Path folder) {
        for (Path entry : list(folder)) {
            String name = entry.getFileName().toString();
            if (Files.isSymbolicLink(entry)) {
                add(index, true, entry);
            } else if (name.endsWith(".wants")
                    || name.endsWith(".requires")
                    || name.endsWith(".upholds")) {
                list(entry).forEach(link -> add(index, false, link));
            }
        }
    }

    private void add(int folder, boolean isDirect, Path entry) {
        try {
            String name = entry.getFileName().toString();
            String target = String.valueOf(Files.readSymbolicLink(entry).getFileName());
            Link link = new Link(folder, isDirect, name, target);
            links.computeIfAbsent(name, _ -> new ArrayList<>()).add(link);
            if (!target.equals(name)) {
                links.computeIfAbsent(target, _ -> new ArrayList<>()).add(link);
            }
        } catch (IOException e) {
            // not a link, or removed meanwhile
        }
    }

    private static List<Path> list(Path folder) {
        List<Path> entries = new ArrayList<>();
        if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
                stream.forEach(entries::add);
            } catch (IOException | DirectoryIteratorException e) {
                return List.of();
            }
        }
        return entries;
    }

    private Lifetime lifetime(Path folder) {
        Path inside = path.root().asInside(folder);
        if (inside.startsWith("/usr") || inside.startsWith("/lib")) {
            return Lifetime.VENDOR;
        }
        boolean isRuntime =
                inside.startsWith("/run") || folder.startsWith(folders.runtime().getParent());
        return isRuntime ? Lifetime.RUNTIME : Lifetime.PERSISTENT;
    }

    /**
     * Returns the state of a unit. Blocking.
     *
     * @param name the requested name
     */
    public State of(UnitName name, Unit unit) {
        UnitSource source = unit.source();
        Path fragment = source.fragment().orElse(Path.of("/"));
        switch (source.state()) {
            case NOT_FOUND -> {
                return State.NOT_FOUND;
            }
            case MASKED -> {
                return lifetime(fragment) == Lifetime.RUNTIME ? State.MASKED_RUNTIME : State.MASKED;
            }
            case LOADED -> {}
        }
        if (Files.isSymbolicLink(fragment) && !Files.exists(fragment)) {
            return State.BAD; // links in a circle
        }
        if (!name.equals(source.name()) && !name.isInstance()) {
            return State.ALIAS;
        }
        String file = fragment.toString();
        if (file.contains("/systemd/generator")) {
            return State.GENERATED;
        }
        if (file.endsWith("/transient/" + fragment.getFileName())) {
            return State.TRANSIENT;
        }
        Set<String> known = knownNames(source.name(), unit.install());
        Optional<State> state = byLinks(source.name(), fragment, known::contains);
        if (state.isPresent()) {
            return state.get();
        }
        if (byLinks(source.name(), fragment, _ -> true).isPresent()) {
            return State.INDIRECT;
        }
        InstallSection install = unit.install();
        boolean installs =
                !install.wantedBy().isEmpty()
                        || !install.requiredBy().isEmpty()
                        || !install.upheldBy().isEmpty()
                        || !install.aliases().isEmpty();
        if (installs) {
            return State.DISABLED;
        }
        return install.also().isEmpty() ? State.STATIC : State.INDIRECT;
    }

    /** Returns the names of the links that enabling the unit makes. */
    private static Set<String> knownNames(UnitName name, InstallSection install) {
        Set<String> known = new HashSet<>();
        known.add(name.text());
        install.aliases().forEach(alias -> known.add(alias.text()));
        if (name.isTemplate()) {
            install.defaultInstance()
                    .ifPresent(instance -> known.add(name.withInstance(instance).text()));
        }
        return known;
    }

    /** Returns the state that links of these names give a unit. */
    private Optional<State> byLinks(UnitName unit, Path fragment, Predicate<String> isKnown) {
        Path parent = fragment.getParent();
        int own = parent == null ? -1 : path.folders().indexOf(parent);
        Set<Lifetime> enabledIn = EnumSet.noneOf(Lifetime.class);
        Set<Lifetime> linkedIn = EnumSet.noneOf(Lifetime.class);
        for (Link link : links.getOrDefault(unit.text(), List.of())) {
            Lifetime lifetime = lifetime(path.folders().get(link.folder()));
            boolean isHidden = own >= 0 && link.folder() > own; // by the unit file
            boolean isOfName = !isHidden && link.name().equals(unit.text());
            boolean leadsToName = link.target().equals(unit.text());
            if (isOfName && leadsToName && link.isDirect()) {
                linkedIn.add(lifetime);
            } else if ((isOfName || leadsToName) && isKnown.test(link.name())) {
                enabledIn.add(lifetime);
            }
        }
        if (enabledIn.contains(Lifetime.PERSISTENT)) {
            return Optional.of(State.ENABLED);
        }
        if (enabledIn.contains(Lifetime.RUNTIME)) {
            return Optional.of(State.ENABLED_RUNTIME);
        }
        if (!enabledIn.isEmpty() && unit.isInstance()) {
            return Optional.of(State.STATIC); // enabled by the installed system
        }
        if (linkedIn.contains(Lifetime.PERSISTENT)) {
            return Optional.of(State.LINKED);
        }
        return linkedIn.contains(Lifetime.RUNTIME)
                ? Optional.of(State.LINKED_RUNTIME)
                : Optional.empty();
    }
}
