package io.holdfast.manager.unit.settings;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Diagnostics;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.file.ManagerConfigurationFiles;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.host.Specifiers;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * The configuration of a manager ({@code system.conf} or {@code user.conf}, and drop-ins), as it
 * was last read. Thread-safe.
 */
public final class ManagerConfiguration implements Supplier<ManagerDefaults> {
    private static final String SECTION = "Manager";

    private final ManagerConfigurationFiles files;
    private final Specifiers specifiers;
    private volatile ManagerDefaults configured = ManagerDefaults.STANDARD;
    private volatile ManagerDefaults defaults = ManagerDefaults.STANDARD;
    private Map<String, String> generated = Map.of();
    private final Map<String, Optional<String>> requested = new LinkedHashMap<>(); // empty: none
    private List<String> problems = List.of();

    public ManagerConfiguration(ManagerConfigurationFiles files, Host host, ManagerScope scope) {
        this.files = files;
        this.specifiers = new Specifiers(UnitName.of("init.scope"), Optional.empty(), host, scope);
    }

    @Override
    public ManagerDefaults get() {
        return defaults;
    }

    /** Returns what the files set, without the variables of environment generators. */
    public ManagerDefaults configured() {
        return configured;
    }

    /** Replaces the variables of environment generators; those of the files override them. */
    public synchronized void generated(Map<String, String> variables) {
        generated = variables;
        compose();
    }

    /**
     * Changes the variables that all processes inherit from now on, whatever else sets them.
     *
     * @param minus names of variables that are removed
     * @param plus variables that are set
     * @return false, after doing nothing, if more than {@code most} would be changed
     */
    public synchronized boolean change(
            Collection<String> minus, Map<String, String> plus, int most) {
        Map<String, Optional<String>> all = new LinkedHashMap<>(requested);
        minus.forEach(name -> all.put(name, Optional.empty()));
        plus.forEach((name, value) -> all.put(name, Optional.of(value)));
        if (all.size() > most) {
            return false;
        }
        requested.putAll(all);
        compose();
        return true;
    }

    private void compose() {
        Map<String, String> plus = new LinkedHashMap<>();
        Set<String> minus = new TreeSet<>();
        requested.forEach((name, value) ->
                value.ifPresentOrElse(text -> plus.put(name, text), () -> minus.add(name)));
        defaults = configured.with(generated, plus, minus);
    }

    /**
     * Reads the files. Blocking.
     *
     * @return a line for each assignment without effect, and one line that names the settings that
     *     are not supported; none if they are the same as at the last time
     */
    public synchronized List<String> read() {
        ManagerSetting.Values values = new ManagerSetting.Values();
        Diagnostics diagnostics = new Diagnostics();
        Set<String> notSupported = new TreeSet<>();
        for (UnitFile file : files.read()) {
            diagnostics.addAll(file.diagnostics());
            for (UnitFile.Section section : file.sections()) {
                if (section.name().equals(SECTION)) {
                    section.entries()
                            .forEach(entry -> assign(entry, values, diagnostics, notSupported));
                }
            }
        }
        configured = values.build();
        compose();
        List<String> found = new ArrayList<>();
        diagnostics.toList().forEach(diagnostic -> found.add(diagnostic.toString()));
        if (!notSupported.isEmpty()) {
            found.add(
                    "%s: settings have no effect: %s=; see holdfast verify --directives"
                            .formatted(files.name(), String.join("=, ", notSupported)));
        }
        boolean isNew = !found.equals(problems);
        problems = List.copyOf(found);
        return isNew ? problems : List.of();
    }

    private void assign(
            UnitFile.Entry entry,
            ManagerSetting.Values values,
            Diagnostics diagnostics,
            Set<String> notSupported) {
        ManagerSetting setting = ManagerSetting.ALL.get(entry.key());
        if (setting == null) {
            diagnostics.add(
                    entry.place(),
                    Diagnostic.Kind.UNKNOWN,
                    "unknown setting \"" + entry.key() + "\" in [" + SECTION + "]; ignored");
        } else if (setting.reader().isEmpty()) {
            notSupported.add(setting.name());
        } else {
            setting.reader().get().accept(values, new Assignment(entry, specifiers, diagnostics));
        }
    }
}
