package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Diagnostics;
import io.holdfast.manager.unit.DirectiveCost;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.Place;
import io.holdfast.manager.unit.Quote;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.value.Host;
import io.holdfast.manager.unit.value.Specifiers;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Reads sources as typed units: gives each directive its meaning, expands specifiers, applies
 * defaults, and says of everything without effect why. Thread-safe.
 */
public record UnitReader(Host host, ManagerScope scope) {
    /**
     * What is read, as {@code Section.Key}, and nothing acts on yet: it shrinks as the manager
     * learns.
     */
    private static final Set<String> NOT_ACTED_ON =
            Set.of(
                    "Socket.ListenNetlink",
                    "Socket.ListenSpecial",
                    "Socket.ListenMessageQueue",
                    "Socket.ListenUSBFunction",
                    "Unit.JoinsNamespaceOf",
                    "Unit.RequiresMountsFor");

    /** Never throws; a source without files becomes a unit without settings. */
    public Unit read(UnitSource source) {
        return new Reading(source).unit();
    }

    /**
     * The directives of a section that have an effect: those that some reader takes. It follows
     * from the readers themselves.
     */
    public static Set<String> applied(UnitType type, String section) {
        ManagerScope system = ManagerScope.system(Map.of());
        Specifiers specifiers =
                new Specifiers(
                        UnitName.of("applied" + type.suffix()),
                        Optional.empty(),
                        Host.UNKNOWN,
                        system);
        Set<String> applied = new TreeSet<>();
        for (String key : DirectiveTable.of(section)) {
            UnitFile.Entry reset = new UnitFile.Entry(key, "", new Place("", 0));
            Assignment assignment = new Assignment(reset, specifiers, new Diagnostics());
            boolean acted = !NOT_ACTED_ON.contains(section + "." + key);
            if (acted && new Readers(system).takes(type, section, assignment)) {
                applied.add(key);
            }
        }
        return applied;
    }

    /** The directives of a section that systemd knows, in order. */
    public static Set<String> known(String section) {
        return DirectiveTable.of(section);
    }

    /** The readers of one unit's records. */
    private static final class Readers {
        final UnitSection.Reader unit = new UnitSection.Reader();
        final ServiceSectionReader service = new ServiceSectionReader(unit);
        final SocketSectionReader socket = new SocketSectionReader();
        final ExecSettingsReader exec;
        final KillSettings.Reader kill = new KillSettings.Reader();
        final CgroupSettings.Reader cgroup = new CgroupSettings.Reader();
        final InstallSection.Reader install = new InstallSection.Reader();

        Readers(ManagerScope scope) {
            exec = new ExecSettingsReader(scope.umask());
        }

        /** Who reads a section of a unit of this type: a later type adds its line here. */
        private List<SectionReader> of(UnitType type, String section) {
            return switch (section) {
                case "Unit" -> List.of(unit);
                case "Install" -> List.of(install);
                case "Service" ->
                        type == UnitType.SERVICE ? List.of(service, exec, kill, cgroup) : List.of();
                case "Socket" -> type == UnitType.SOCKET ? List.of(socket) : List.of();
                default -> List.of();
            };
        }

        boolean takes(UnitType type, String section, Assignment assignment) {
            for (SectionReader reader : of(type, section)) {
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
        private final Readers readers = new Readers(scope);
        private final Diagnostics diagnostics = new Diagnostics();

        Reading(UnitSource source) {
            this.source = source;
            this.type = source.name().type();
            this.specifiers = new Specifiers(source.name(), source.fragment(), host, scope);
            diagnostics.addAll(source.diagnostics());
        }

        Unit unit() {
            for (UnitFile file : source.files()) {
                file.sections().forEach(this::section);
            }
            UnitSection unit = readers.unit.build(source);
            InstallSection install = readers.install.build();
            return switch (type) {
                case SERVICE -> service(unit, install);
                case SOCKET -> socket(unit, install);
                case TARGET -> new TargetUnit(source, unit, install, diagnostics.toList());
                case SLICE -> slice(unit, install);
                default -> new OtherUnit(source, unit, install, diagnostics.toList());
            };
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
                                + DirectiveTable.meant(type, section, key)
                                        .map(meant -> ", " + meant)
                                        .orElse("")
                                + "; ignored");
                return;
            }
            Assignment assignment = new Assignment(entry, specifiers, diagnostics);
            boolean applied =
                    readers.takes(type, section, assignment) && !NOT_ACTED_ON.contains(subject);
            if (!applied && !DirectiveCost.isNone(key, entry.value())) {
                diagnostics.addOnce(
                        subject,
                        new Diagnostic(
                                entry.place(),
                                Diagnostic.Kind.NOT_APPLIED,
                                key + "= is not applied yet",
                                DirectiveCost.of(key)));
            }
        }

        private Unit service(UnitSection unit, InstallSection install) {
            ServiceSection service = readers.service.build();
            if (isWhole()) {
                ServiceSectionReader.check(service, unit.ends().successAction(), this::refuse);
            }
            refuseTemplate();
            return new ServiceUnit(
                    source,
                    unit,
                    service,
                    readers.exec.build(),
                    readers.kill.build(),
                    readers.cgroup.build(),
                    install,
                    diagnostics.toList());
        }

        private Unit socket(UnitSection unit, InstallSection install) {
            SocketSection socket = readers.socket.build(source.name());
            if (isWhole()) {
                readers.socket.check(socket, this::refuse);
            }
            refuseTemplate();
            return new SocketUnit(source, unit, socket, install, diagnostics.toList());
        }

        private Unit slice(UnitSection unit, InstallSection install) {
            if (CgroupSettings.parentOf(source.name()).isEmpty()
                    && !source.name().equals(CgroupSettings.ROOT_SLICE)) {
                refuse("the name of a slice is made of non-empty parts between dashes");
            }
            return new SliceUnit(source, unit, install, diagnostics.toList());
        }

        /** What a refused line would have said is missing from the rest. */
        private boolean isWhole() {
            return source.state() == UnitSource.State.LOADED && !diagnostics.isRefused();
        }

        private void refuseTemplate() {
            if (source.state() == UnitSource.State.LOADED && source.name().isTemplate()) {
                String example = source.name().prefix() + "@NAME" + type.suffix();
                refuse("a template cannot be started itself: name an instance, as " + example);
            }
        }

        private void refuse(String why) {
            String file = source.fragment().map(Object::toString).orElse(source.name().text());
            diagnostics.add(new Place(file, 0), Diagnostic.Kind.REFUSED, why);
        }
    }
}
