package io.holdfast.manager.unit.settings;

import io.holdfast.core.process.Namespace.Kind;
import io.holdfast.manager.unit.SharedParts;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.host.Architecture;
import io.holdfast.manager.unit.settings.SystemCallSettings.Families;
import io.holdfast.manager.unit.value.AddressFamily;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.SystemCallList;
import io.holdfast.manager.unit.value.WordReader;
import java.util.EnumSet;
import java.util.List;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/** Reads {@link SystemCallSettings}. */
final class SystemCallSettingsReader implements SectionReader {
    private Optional<SystemCallList> filter = Optional.empty();
    private int error = SystemCallList.KILL;
    private Optional<SystemCallList> logged = Optional.empty();
    private final SortedSet<String> architectures = new TreeSet<>();
    private Optional<Families> families = Optional.empty();
    private Optional<Set<Kind>> namespaces = Optional.empty();

    @Override
    public boolean assign(Assignment a) {
        switch (a.key()) {
            case "SystemCallFilter" -> filter = calls(a, filter, SystemCallList.ofDefault());
            case "SystemCallErrorNumber" ->
                    error =
                            a.isEmpty()
                                    ? SystemCallList.KILL
                                    : a.value(error, SystemCallList::error);
            case "SystemCallLog" -> logged = calls(a, logged, SystemCallList.ofNothing(true));
            case "SystemCallArchitectures" -> architectures(a);
            case "RestrictAddressFamilies" -> families = families(a);
            case "RestrictNamespaces" -> namespaces = namespaces(a);
            default -> {
                return false;
            }
        }
        return true;
    }

    /** Without its {@code ~}, which inverts the line. */
    private static List<String> words(Assignment a) {
        String text = a.value().startsWith("~") ? a.value().substring(1) : a.value();
        try {
            return WordReader.splitRelaxed(a.specifiers().expand(text));
        } catch (IllegalArgumentException e) {
            a.ignored(String.valueOf(e.getMessage()));
            return List.of();
        }
    }

    private static boolean isInverted(Assignment a) {
        return a.value().startsWith("~");
    }

    private static Optional<SystemCallList> calls(
            Assignment a, Optional<SystemCallList> before, SystemCallList permitting) {
        if (a.isEmpty()) {
            return Optional.empty();
        }
        boolean inverted = isInverted(a);
        SystemCallList first = inverted ? SystemCallList.ofNothing(false) : permitting;
        return Optional.of(before.orElse(first).with(inverted, words(a), a::ignored));
    }

    private void architectures(Assignment a) {
        if (a.isEmpty()) {
            architectures.clear();
        }
        a.words(
                WordReader.Backslash.LITERAL_NEXT,
                word -> architectures.add(Architecture.ofWord(word).word()));
    }

    private Optional<Families> families(Assignment a) {
        if (a.isEmpty()) {
            return Optional.empty();
        }
        if (a.value().equals("none")) {
            return Optional.of(new Families(true, new TreeSet<>()));
        }
        boolean inverted = isInverted(a);
        Families before = families.orElse(new Families(!inverted, new TreeSet<>()));
        NavigableSet<Integer> numbers = new TreeSet<>(before.numbers());
        for (String word : words(a)) {
            Optional<Integer> number =
                    a.value(Optional.empty(), _ -> Optional.of(AddressFamily.number(word)));
            if (inverted != before.permits()) {
                number.ifPresent(numbers::add);
            } else {
                number.ifPresent(numbers::remove);
            }
        }
        return Optional.of(new Families(before.permits(), numbers));
    }

    private Optional<Set<Kind>> namespaces(Assignment a) {
        if (a.isEmpty()) {
            return Optional.empty();
        }
        try {
            return Scalars.parseBoolean(a.value())
                    ? Optional.of(EnumSet.noneOf(Kind.class))
                    : Optional.empty();
        } catch (IllegalArgumentException _) {
            return kinds(a);
        }
    }

    private Optional<Set<Kind>> kinds(Assignment a) {
        boolean inverted = isInverted(a);
        Set<Kind> first =
                inverted
                        ? EnumSet.copyOf(SystemCallSettings.NAMESPACES)
                        : EnumSet.noneOf(Kind.class);
        Set<Kind> kinds = namespaces.map(TreeSet::new).map(set -> (Set<Kind>) set).orElse(first);
        for (String word : words(a)) {
            Optional<Kind> kind = a.value(Optional.empty(), _ -> Optional.of(kind(word)));
            if (inverted) {
                kind.ifPresent(kinds::remove);
            } else {
                kind.ifPresent(kinds::add);
            }
        }
        return kinds.equals(SystemCallSettings.NAMESPACES) ? Optional.empty() : Optional.of(kinds);
    }

    private static Kind kind(String word) {
        for (Kind kind : SystemCallSettings.NAMESPACES) {
            if (Scalars.word(kind).equals(word)) {
                return kind;
            }
        }
        throw Scalars.unknown(
                "a kind of namespace",
                word,
                SystemCallSettings.NAMESPACES.stream().map(Scalars::word).toList());
    }

    SystemCallSettings build() {
        return SharedParts.of(
                new SystemCallSettings(filter, error, logged, architectures, families, namespaces));
    }
}
