package io.holdfast.manager.unit.section;

import io.holdfast.manager.unit.SharedParts;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.directive.SectionReader;
import io.holdfast.manager.unit.value.WordReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The {@code [Install]} section of a unit: what enabling it would do.
 *
 * @param defaultInstance of a template that is enabled without an instance
 */
public record InstallSection(
        List<UnitName> aliases,
        List<UnitName> wantedBy,
        List<UnitName> requiredBy,
        List<UnitName> upheldBy,
        List<UnitName> also,
        Optional<String> defaultInstance) {
    public InstallSection {
        aliases = List.copyOf(aliases);
        wantedBy = List.copyOf(wantedBy);
        requiredBy = List.copyOf(requiredBy);
        upheldBy = List.copyOf(upheldBy);
        also = List.copyOf(also);
    }

    static final class Reader implements SectionReader {
        private final List<UnitName> aliases = new ArrayList<>();
        private final List<UnitName> wantedBy = new ArrayList<>();
        private final List<UnitName> requiredBy = new ArrayList<>();
        private final List<UnitName> upheldBy = new ArrayList<>();
        private final List<UnitName> also = new ArrayList<>();
        private Optional<String> defaultInstance = Optional.empty();

        @Override
        public boolean assign(Assignment a) {
            switch (a.key()) {
                case "Alias" -> units(a, aliases);
                case "WantedBy" -> units(a, wantedBy);
                case "RequiredBy" -> units(a, requiredBy);
                case "UpheldBy" -> units(a, upheldBy);
                case "Also" -> units(a, also);
                case "DefaultInstance" -> defaultInstance = a.text(defaultInstance);
                default -> {
                    return false;
                }
            }
            return true;
        }

        private static void units(Assignment a, List<UnitName> list) {
            if (a.isEmpty()) {
                list.clear();
            }
            a.words(WordReader.Backslash.KEPT, word -> list.add(UnitName.of(word)));
        }

        InstallSection build() {
            return SharedParts.of(
                    new InstallSection(
                            aliases, wantedBy, requiredBy, upheldBy, also, defaultInstance));
        }
    }
}
