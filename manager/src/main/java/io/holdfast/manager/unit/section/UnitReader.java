package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Diagnostics;
import io.holdfast.manager.unit.DirectiveCost;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.Quote;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.DirectiveTable;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.host.Specifiers;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * Reads sources as typed units: interprets directives, expands specifiers, applies defaults, and
 * reports each line without effect. Thread-safe.
 *
 * @param defaults of units that set nothing themselves, asked at each reading
 */
public record UnitReader(Host host, ManagerScope scope, Supplier<ManagerDefaults> defaults) {
    /** Makes a reader of the units of a manager without configuration. */
    public UnitReader(Host host, ManagerScope scope) {
        this(host, scope, () -> ManagerDefaults.STANDARD);
    }

    /** Reads a unit. Never throws; a source without files becomes a unit without settings. */
    public Unit read(UnitSource source) {
        return new Reading(source).unit();
    }

    /** What becomes of a directive. */
    public enum Support {
        /** The manager acts on it. */
        APPLIED,
        /** It is read, but not acted on. */
        READ,
        /** It is ignored. */
        NONE
    }

    /**
     * Returns the directives of a section with this support. The readers themselves are asked, so
     * the answer always matches them.
     */
    public static Set<String> directives(UnitType type, String section, Support support) {
        ManagerScope system = ManagerScope.system(Map.of());
        Specifiers specifiers =
                new Specifiers(
                        UnitName.of("applied" + type.suffix()),
                        Optional.empty(),
                        Host.UNKNOWN,
                        system);
        Set<String> found = new TreeSet<>();
        for (String key : DirectiveTable.of(section)) {
            UnitFile.Entry reset = new UnitFile.Entry(key, "", new UnitFilePlace("", 0));
            Assignment assignment = new Assignment(reset, specifiers, new Diagnostics());
            boolean taken =
                    new Readers(specifiers.unit(), system, ManagerDefaults.STANDARD)
                            .takes(section, assignment);
            Support has =
                    !taken ? Support.NONE : assignment.isActedOn() ? Support.APPLIED : Support.READ;
            if (has == support) {
                found.add(key);
            }
        }
        return found;
    }

    /** The readers of one unit, with the settings that they have read. */
    private static final class Readers {
        final UnitSection.Reader unit;
        final InstallSection.Reader install = new InstallSection.Reader();
        final UnitFormat.OwnSection own;
        private final UnitType type;

        Readers(UnitName name, ManagerScope scope, ManagerDefaults defaults) {
            unit = new UnitSection.Reader(defaults);
            type = name.type();
            own = UnitFormats.of(type).begin(name, unit, scope, defaults);
        }

        private List<SectionReader> of(String section) {
            return switch (section) {
                case "Unit" -> List.of(unit);
                case "Install" -> List.of(install);
                default -> section.equals(type.section()) ? own.readers() : List.of();
            };
        }

        boolean takes(String section, Assignment assignment) {
            for (SectionReader reader : of(section)) {
                if (reader.assign(assignment)) {
                    return true;
                }
            }
            return false;
        }
    }

    /** The reading of one unit. */
    private final class Reading {
        private final UnitSource source;
        private final UnitType type;
        private final Specifiers specifiers;
        private final Readers readers;
        private final Diagnostics diagnostics = new Diagnostics();

        Reading(UnitSource source) {
            this.source = source;
            this.type = source.name().type();
            this.readers = new Readers(source.name(), scope, defaults.get());
            this.specifiers = new Specifiers(source.name(), source.fragment(), host, scope);
            diagnostics.addAll(source.diagnostics());
        }

        Unit unit() {
            for (UnitFile file : source.files()) {
                file.sections().forEach(this::section);
            }
            UnitSection unit = readers.unit.build(source);
            InstallSection install = readers.install.build();
            return readers.own.build().apply(new UnitDraft(source, unit, install, diagnostics));
        }

        private void section(UnitFile.Section section) {
            String name = section.name();
            boolean known =
                    name.equals("Unit")
                            || name.equals("Install")
                            || (name.equals(type.section()) && !DirectiveTable.of(name).isEmpty());
            if (known) {
                section.entries().forEach(entry -> assign(name, entry));
            } else if (!name.startsWith("X-")) {
                diagnostics.addOnce(
                        "[" + name,
                        section.place(),
                        Diagnostic.Kind.UNKNOWN,
                        "unknown section ["
                                + name
                                + "] in a "
                                + type.suffix().substring(1)
                                + "; ignored");
            }
        }

        private void assign(String section, UnitFile.Entry entry) {
            String key = entry.key();
            if (key.startsWith("X-")) {
                return;
            }
            String subject = section + "." + key;
            if (!DirectiveTable.isKnown(section, key)) {
                diagnostics.addOnce(
                        subject,
                        entry.place(),
                        Diagnostic.Kind.UNKNOWN,
                        "unknown directive "
                                + Quote.of(key)
                                + " in ["
                                + section
                                + "]"
                                + DirectiveTable.suggest(type, section, key)
                                        .map(suggestion -> ", " + suggestion)
                                        .orElse("")
                                + "; ignored");
                return;
            }
            Assignment assignment = new Assignment(entry, specifiers, diagnostics);
            boolean applied = readers.takes(section, assignment) && assignment.isActedOn();
            if (!applied && !DirectiveCost.isNone(key, entry.value())) {
                diagnostics.addOnce(
                        subject,
                        new Diagnostic(
                                entry.place(),
                                Diagnostic.Kind.NOT_APPLIED,
                                key + "= is not supported",
                                DirectiveCost.of(key)));
            }
        }
    }
}
