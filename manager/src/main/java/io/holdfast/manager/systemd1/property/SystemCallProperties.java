package io.holdfast.manager.systemd1.property;

import io.holdfast.core.process.Namespace.Kind;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.manager.seccomp.CloneFlags;
import io.holdfast.manager.unit.settings.SystemCallSettings;
import io.holdfast.manager.unit.value.AddressFamily;
import io.holdfast.manager.unit.value.SystemCallList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;

/** The properties that describe the system calls that a unit's processes may make. */
final class SystemCallProperties {
    /** A list that forbids nothing. */
    private static final Struct NOTHING = Struct.of(false, List.of());

    private static final Long EVERY_NAMESPACE = -1L;

    private SystemCallProperties() {}

    static <T> void addTo(PropertyTable<T> table, Function<T, SystemCallSettings> calls) {
        table.settable(
                        "SystemCallFilter",
                        list("SystemCallFilter", ""),
                        t -> list(calls.apply(t).filter()))
                .settable(
                        "SystemCallErrorNumber",
                        new SettableProperty("i", SystemCallProperties::error),
                        t -> calls.apply(t).error())
                .settable(
                        "SystemCallLog",
                        list("SystemCallLog", ""),
                        t -> list(calls.apply(t).logged()))
                .settable(
                        "SystemCallArchitectures",
                        SettableProperty.words("SystemCallArchitectures"),
                        t -> List.copyOf(calls.apply(t).architectures()))
                .settable(
                        "RestrictAddressFamilies",
                        list("RestrictAddressFamilies", "none"),
                        t -> families(calls.apply(t).families()))
                .settable(
                        "RestrictNamespaces",
                        new SettableProperty("t", SystemCallProperties::namespaces),
                        t ->
                                calls.apply(t)
                                        .namespaces()
                                        .map(CloneFlags::of)
                                        .orElse(EVERY_NAMESPACE));
    }

    private static Struct list(Optional<SystemCallList> list) {
        return list.map(some -> Struct.of(some.permits(), some.words())).orElse(NOTHING);
    }

    private static Struct families(Optional<SystemCallSettings.Families> families) {
        return families.map(some ->
                        Struct.of(
                                some.permits(),
                                some.numbers().stream().map(AddressFamily::name).toList()))
                .orElse(NOTHING);
    }

    /**
     * @param none the value that permits nothing at all; empty: the directive is reset
     */
    private static SettableProperty list(String directive, String none) {
        return new SettableProperty(
                "(bas)",
                (unit, section, value) -> {
                    boolean permits = (Boolean) ((Struct) value).get(0);
                    List<?> words = (List<?>) ((Struct) value).get(1);
                    if (words.isEmpty()) {
                        unit.line(section, directive, permits ? none : "");
                        return;
                    }
                    StringBuilder text = new StringBuilder(permits ? "" : "~");
                    for (Object word : words) {
                        if (!((String) word).matches("[@A-Za-z0-9_:]+")) {
                            throw SettableProperty.invalid(directive, word);
                        }
                        text.append(text.length() > 1 ? " " : "").append(word);
                    }
                    unit.line(section, directive, text.toString());
                });
    }

    private static void error(UnitDescription unit, String section, Object value) {
        int error = (Integer) value;
        unit.line(
                section,
                "SystemCallErrorNumber",
                error == SystemCallList.KILL ? "kill" : String.valueOf(error));
    }

    private static void namespaces(UnitDescription unit, String section, Object value) {
        long flags = (Long) value;
        Set<String> words = new TreeSet<>();
        for (Kind kind : SystemCallSettings.NAMESPACES) {
            if ((flags & CloneFlags.of(Set.of(kind))) != 0) {
                words.add(kind.name().toLowerCase(Locale.ROOT));
            }
        }
        unit.line(section, "RestrictNamespaces", words.isEmpty() ? "yes" : String.join(" ", words));
    }
}
