package io.holdfast.manager.unit.settings;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Diagnostics;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.file.ManagerConfigurationFiles;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.value.Host;
import io.holdfast.manager.unit.value.Specifiers;
import java.util.ArrayList;
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
        defaults = configured.withWeaker(variables);
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
        defaults = configured.withWeaker(generated);
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
