package io.holdfast.manager.unit.install;

import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.install.InstallException.Reason;
import io.holdfast.manager.unit.install.InstallSearch.Found;
import io.holdfast.manager.unit.section.InstallSection;
import io.holdfast.manager.unit.section.UnitReader;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Enables, disables, masks and links unit files, as {@code systemctl enable} and its relatives do:
 * the same links for the same files.
 *
 * <pre>
 *   UnitInstaller installer = new UnitInstaller(InstallFolders.of(scope, path), reader);
 *   InstallResult result = installer.run(InstallRequest.of(ENABLE, List.of("web.service")));
 * </pre>
 *
 * <p>A manager notices the links when it reloads its unit files. Blocking; thread-safe, but two
 * operations at the same time on the same units leave the links of both.
 *
 * @see <a href="https://www.freedesktop.org/software/systemd/man/systemctl.html">systemctl</a>
 */
public final class UnitInstaller {
    private static final Path MASK = Path.of("/dev/null");
    private static final String DEFAULT_TARGET = "default.target";

    private final InstallFolders folders;
    private final UnitReader reader;

    public UnitInstaller(InstallFolders folders, UnitReader reader) {
        this.folders = folders;
        this.reader = reader;
    }

    /** Returns the unit that {@code default.target} is; empty if there is no such unit. */
    public Optional<UnitName> defaultTarget() {
        try {
            return Optional.of(
                    new InstallSearch(folders, reader).find(UnitName.of(DEFAULT_TARGET)).name());
        } catch (InstallException e) {
            return Optional.empty();
        }
    }

    /** Returns the links that {@link InstallRequest.Operation#DISABLE} would remove. */
    public List<String> links(UnitName unit, boolean runtime) {
        Path folder = runtime ? folders.runtime() : folders.persistent();
        List<InstallChange> changes = new ArrayList<>();
        Set<String> marks = new HashSet<>(Set.of(unit.text()));
        LinkFolder.trial(folders, folder, changes).remove(marks);
        return changes.stream().map(InstallChange::path).toList();
    }

    /** Carries out an operation. */
    public InstallResult run(InstallRequest request) {
        Run run = new Run(request);
        try {
            run.run();
        } catch (InstallException e) {
            run.failed(e);
        }
        return new InstallResult(run.carriesInstallInfo, run.changes, run.failure);
    }

    /** One operation. */
    private final class Run {
        private final InstallRequest request;
        private final InstallSearch search = new InstallSearch(folders, reader);
        private final List<InstallChange> changes = new ArrayList<>();
        private final LinkFolder links;
        private Optional<InstallException> failure = Optional.empty();
        private boolean carriesInstallInfo;
        private boolean isByPreset; // a template without instance is no error then

        Run(InstallRequest request) {
            this.request = request;
            this.links =
                    new LinkFolder(
                            folders,
                            request.runtime() ? folders.runtime() : folders.persistent(),
                            changes);
        }

        private void failed(InstallException e) {
            failure = failure.or(() -> Optional.of(e));
        }

        void run() {
            List<String> files = request.files();
            switch (request.operation()) {
                case ENABLE -> enable(files);
                case DISABLE -> disable(names(files));
                case REENABLE -> {
                    disable(names(files));
                    enable(files);
                }
                case LINK -> files.forEach(this::link);
                case MASK -> names(files).forEach(this::mask);
                case UNMASK -> unmask(names(files));
                case PRESET -> preset(files, true, true);
                case PRESET_ENABLE_ONLY -> preset(files, true, false);
                case PRESET_DISABLE_ONLY -> preset(files, false, true);
                case REVERT -> new Revert(folders, changes).run(names(files));
                case SET_DEFAULT -> setDefault(files);
                case ADD_WANTS -> addTo(files, ".wants");
                case ADD_REQUIRES -> addTo(files, ".requires");
            }
        }

        private static List<UnitName> names(Collection<String> files) {
            return files.stream().map(InstallSearch::name).toList();
        }

        // ---- enable

        private void enable(Collection<String> files) {
            apply(files.stream().map(file -> search.findForLinks(file).requireUnmasked()).toList());
        }

        /** Makes the links of these units, and of those that their {@code Also=} names. */
        private void apply(Collection<Found> units) {
            Deque<Found> open = new ArrayDeque<>(units);
            Set<UnitName> done = new HashSet<>();
            while (!open.isEmpty()) {
                Found unit = open.removeFirst();
                if (!done.add(unit.name())) {
                    continue;
                }
                if (unit.isMasked()) {
                    changes.add(change(InstallChange.Kind.MASKED, unit.file()));
                    carriesInstallInfo = true;
                    continue;
                }
                links(unit);
                for (UnitName other : unit.install().also()) {
                    also(other).ifPresent(open::add);
                }
            }
        }

        private Optional<Found> also(UnitName name) {
            try {
                return Optional.of(search.findForLinks(name.text()));
            } catch (InstallException e) {
                changes.add(change(InstallChange.Kind.AUXILIARY_FAILED, name));
                return Optional.empty();
            }
        }

        private void links(Found unit) {
            if (!unit.isInPath()) {
                attempt(() -> links.link(unit.name().text(), unit.file(), request.force()));
            }
            InstallSection install = unit.install();
            install.aliases().forEach(alias -> attempt(() -> alias(unit, alias)));
            attempt(() -> {
                Found member = search.instantiated(unit);
                InstallSection of = member.install();
                of.wantedBy().forEach(by -> attempt(() -> member(member, by, ".wants")));
                of.requiredBy().forEach(by -> attempt(() -> member(member, by, ".requires")));
                of.upheldBy().forEach(by -> attempt(() -> member(member, by, ".upholds")));
            });
        }

        /** Does one of several things that do not depend on each other. */
        private void attempt(Runnable part) {
            try {
                part.run();
            } catch (InstallException e) {
                failed(e);
            }
        }

        private void alias(Found unit, UnitName alias) {
            UnitName name =
                    unit.name().isInstance() && alias.isTemplate()
                            ? alias.withInstance(unit.name().instance().orElseThrow())
                            : alias;
            carriesInstallInfo = true;
            if (name.equals(unit.name())) {
                return;
            }
            if (!mayBeAlias(name, unit.name())) {
                throw new InstallException(
                        Reason.BAD_SETTING, "Cannot alias " + unit.name() + " as " + name);
            }
            boolean replaces = request.force() || links.isDangling(name.text());
            // not the linked file itself, of which the link would make a unit of another name
            Path target = unit.isInPath() ? unit.file() : links.place(unit.name().text());
            links.link(name.text(), target, replaces);
        }

        private static boolean mayBeAlias(UnitName alias, UnitName of) {
            boolean isSameShape =
                    alias.isPlain() == of.isPlain() && alias.isTemplate() == of.isTemplate();
            return alias.type() == of.type()
                    && alias.type().mayHaveAliases()
                    && ((alias.isInstance() && of.isTemplate())
                            || (isSameShape && alias.instance().equals(of.instance())));
        }

        private void member(Found unit, UnitName by, String suffix) {
            if (unit.name().isTemplate() && by.isPlain()) {
                if (isByPreset) {
                    return;
                }
                throw new InstallException(
                        Reason.BAD_SETTING,
                        "Destination unit "
                                + by
                                + " is a non-template unit: enable an instance of "
                                + unit.name());
            }
            carriesInstallInfo = true;
            links.link(by + suffix, unit.name().text(), unit.file());
            if (!search.isThere(by)) {
                changes.add(
                        new InstallChange(
                                InstallChange.Kind.DESTINATION_MISSING,
                                by.text(),
                                folders.asInside(unit.file()).toString()));
            }
        }

        // ---- disable

        /** The links of a unit that does not exist any more are removed, too. */
        private void disable(Collection<UnitName> names) {
            Set<String> marks = new HashSet<>();
            for (UnitName name : names) {
                attempt(() -> carriesInstallInfo |= search.find(name).hasInstallInfo());
            }
            mark(new ArrayDeque<>(names), marks);
            remove(marks);
            succeedIfChanged();
        }

        /** Drops a failure if something else was done. */
        private void succeedIfChanged() {
            if (!changes.isEmpty()) {
                failure = Optional.empty();
            }
        }

        /** Marks units, and those that their {@code Also=} names. Masks stay. */
        private void mark(Deque<UnitName> open, Set<String> marks) {
            Set<UnitName> done = new HashSet<>();
            while (!open.isEmpty()) {
                UnitName name = open.removeFirst();
                if (!done.add(name)) {
                    continue;
                }
                Optional<Found> unit = findIfThere(name);
                if (unit.filter(Found::isMasked).isPresent()) {
                    changes.add(change(InstallChange.Kind.MASKED, unit.get().file()));
                    continue;
                }
                marks.add(name.text());
                unit.ifPresent(found -> {
                    open.add(found.name());
                    open.addAll(found.install().also());
                });
            }
        }

        private Optional<Found> findIfThere(UnitName name) {
            try {
                return Optional.of(search.find(name));
            } catch (InstallException e) {
                return Optional.empty();
            }
        }

        private void remove(Set<String> marks) {
            links.remove(marks);
            carriesInstallInfo |= changes.stream().anyMatch(InstallChange::isModification);
        }

        // ---- the others

        private void link(String file) {
            Path given = search.regular(file);
            if (!search.isInPath(given)) {
                links.link(InstallSearch.name(file).text(), given, request.force());
            }
        }

        private void mask(UnitName unit) {
            links.link(unit.text(), folders.path().root().place(MASK), request.force());
        }

        private void unmask(Collection<UnitName> units) {
            Set<String> marks = new HashSet<>();
            units.forEach(unit -> links.unmask(unit, marks));
            if (!marks.isEmpty()) {
                links.remove(marks);
            }
        }

        /**
         * @param files none for all unit files: then units that cannot be enabled are skipped
         */
        private void preset(List<String> files, boolean enables, boolean disables) {
            isByPreset = true;
            Presets presets = Presets.read(folders.presets());
            List<Found> plus = new ArrayList<>();
            Deque<UnitName> minus = new ArrayDeque<>();
            if (files.isEmpty()) {
                for (UnitName unit : search.names()) {
                    try {
                        decide(unit, presets, plus, minus);
                    } catch (InstallException e) {
                        // masked, generated or without a file
                    }
                }
            } else {
                names(files).forEach(unit -> decide(unit, presets, plus, minus));
            }
            if (disables && !minus.isEmpty()) {
                Set<String> marks = new HashSet<>();
                mark(minus, marks);
                remove(marks);
            }
            if (enables) {
                apply(plus);
            }
            succeedIfChanged();
        }

        private void decide(
                UnitName unit, Presets presets, List<Found> plus, Deque<UnitName> minus) {
            if (!search.find(unit).name().equals(unit)) {
                return; // an alias, whose unit has a rule of its own
            }
            switch (presets.of(unit)) {
                case Presets.Verdict.Enable(List<UnitName> all) ->
                        all.forEach(each -> plus.add(search.find(each).requireUnmasked()));
                case Presets.Verdict.Disable() -> minus.add(unit);
                case Presets.Verdict.Ignore() -> {}
            }
        }

        private void setDefault(List<String> files) {
            UnitName name = InstallSearch.name(first(files));
            if (name.type() != UnitType.TARGET || name.text().equals(DEFAULT_TARGET)) {
                throw InstallException.invalid(name + " cannot be the default target");
            }
            links.link(DEFAULT_TARGET, search.find(name).requireUnmasked().file(), request.force());
        }

        /** Adds dependencies of the first unit on the others. */
        private void addTo(List<String> files, String suffix) {
            UnitName by = search.find(InstallSearch.name(first(files))).requireUnmasked().name();
            for (String file : files.subList(1, files.size())) {
                member(search.find(file).requireUnmasked(), by, suffix);
            }
        }

        private static String first(List<String> files) {
            if (files.isEmpty()) {
                throw InstallException.invalid("no unit");
            }
            return files.getFirst();
        }

        private static InstallChange change(InstallChange.Kind kind, Object about) {
            return new InstallChange(kind, about.toString(), "");
        }
    }
}
