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
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * A snapshot of which units are enabled: whether links in the folders for that purpose lead to
 * them. Blocking to make; immutable.
 */
public final class UnitFileStates {
    /** A state as {@code systemctl is-enabled} prints it. */
    public enum State {
        ENABLED,
        ENABLED_RUNTIME,
        /** It has no [Install] section, so it cannot be enabled. */
        STATIC,
        DISABLED,
        MASKED,
        MASKED_RUNTIME,
        /** A template or an instance that other units enable. */
        INDIRECT,
        GENERATED,
        TRANSIENT,
        ALIAS,
        NOT_FOUND;

        /** Returns the word that {@code systemctl is-enabled} prints. */
        public String word() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    private final Set<UnitName> enabled = new HashSet<>();
    private final Set<UnitName> enabledInRun = new HashSet<>();

    /** The templates of which an instance is enabled. */
    private final Set<UnitName> instantiated = new HashSet<>();

    private UnitFileStates() {}

    /** Reads the links in the folders. */
    public static UnitFileStates read(LoadPath path) {
        UnitFileStates states = new UnitFileStates();
        for (Path folder : path.folders()) {
            Set<UnitName> links = folder.startsWith("/run") ? states.enabledInRun : states.enabled;
            boolean isOfVendor = folder.startsWith("/usr") || folder.startsWith("/lib");
            if (!isOfVendor) {
                states.addLinks(folder, links);
            }
        }
        return states;
    }

    private void addLinks(Path folder, Set<UnitName> links) {
        for (Path entry : list(folder)) {
            String name = entry.getFileName().toString();
            if (name.endsWith(".wants")
                    || name.endsWith(".requires")
                    || name.endsWith(".upholds")) {
                for (Path link : list(entry)) {
                    UnitName.parse(link.getFileName().toString())
                            .ifPresent(unit -> enable(unit, links));
                }
            } else if (Files.isSymbolicLink(entry)) {
                addAlias(entry, links);
            }
        }
    }

    private void enable(UnitName name, Set<UnitName> links) {
        links.add(name);
        if (name.isInstance()) {
            instantiated.add(name.template().orElseThrow());
        }
    }

    /** An alias enables its target; an instance that is a link to its template enables itself. */
    private void addAlias(Path link, Set<UnitName> links) {
        try {
            Path target = Files.readSymbolicLink(link).getFileName();
            if (target != null && !target.toString().equals(link.getFileName().toString())) {
                Optional<UnitName> own =
                        UnitName.parse(link.getFileName().toString()).filter(UnitName::isInstance);
                UnitName.parse(target.toString())
                        .map(name -> name.isTemplate() ? own.orElse(name) : name)
                        .ifPresent(unit -> enable(unit, links));
            }
        } catch (IOException e) {
            // removed meanwhile
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

    /**
     * @param name the requested name
     */
    public State of(UnitName name, Unit unit) {
        UnitSource source = unit.source();
        Path fragment = source.fragment().orElse(Path.of("/"));
        boolean inRun = fragment.startsWith("/run");
        switch (source.state()) {
            case NOT_FOUND -> {
                return State.NOT_FOUND;
            }
            case MASKED -> {
                return inRun ? State.MASKED_RUNTIME : State.MASKED;
            }
            case LOADED -> {}
        }
        if (!name.equals(source.name()) && !name.isInstance()) {
            return State.ALIAS;
        }
        String path = fragment.toString();
        if (path.contains("/systemd/generator")) {
            return State.GENERATED;
        }
        if (path.endsWith("/transient/" + fragment.getFileName())) {
            return State.TRANSIENT;
        }
        if (isIn(enabled, source)) {
            return State.ENABLED;
        }
        if (isIn(enabledInRun, source)) {
            return State.ENABLED_RUNTIME;
        }
        if (isDefaultInstanceIn(enabled, name, unit.install())) {
            return State.ENABLED;
        }
        if (isDefaultInstanceIn(enabledInRun, name, unit.install())) {
            return State.ENABLED_RUNTIME;
        }
        if (instantiated.contains(name)) {
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

    /** Returns whether a name is that of a template whose {@code DefaultInstance=} has a link. */
    private static boolean isDefaultInstanceIn(
            Set<UnitName> links, UnitName name, InstallSection install) {
        return name.isTemplate()
                && install.defaultInstance()
                        .map(name::withInstance)
                        .filter(links::contains)
                        .isPresent();
    }

    private static boolean isIn(Set<UnitName> links, UnitSource source) {
        return source.names().stream()
                .anyMatch(name ->
                        links.contains(name) || links.contains(name.template().orElse(name)));
    }
}
