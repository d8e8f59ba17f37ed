package io.holdfast.manager.verify;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.unit.DirectiveCost;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.UnitReader;
import io.holdfast.manager.unit.section.UnitReader.Support;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/**
 * Keeps the directives that the units of 117 packages of Debian have supported: {@code
 * scripts/corpus} writes the list, and also judges the values.
 */
class CorpusTest {
    private static final int UNITS = 467;
    private static final int SERVICES = 308;

    /** Units with a directive that is not supported. */
    private static final int LACKING = 5;

    private static final int SERVICES_LACKING = 5;

    /** The directives that they have, each of which the unit's status names with what holds. */
    private static final Set<String> LACKED =
            Set.of(
                    "UtmpIdentifier", // Debian's systemd is built without utmp, too
                    "AppArmorProfile"); // only where the kernel uses AppArmor

    /** The supported directives by type and section. */
    private static final Map<String, Set<String>> APPLIED = new HashMap<>();

    private record Unit(UnitName name, List<String> directives) {
        UnitType type() {
            return name.type();
        }

        /** Returns its directives that are not supported. */
        Set<String> lacking() {
            Set<String> lacking = new TreeSet<>();
            for (String each : directives) {
                int dot = each.indexOf('.');
                String section = each.substring(0, dot);
                String key = each.substring(dot + 1);
                Set<String> applied =
                        APPLIED.computeIfAbsent(
                                type() + " " + section,
                                _ -> UnitReader.directives(type(), section, Support.APPLIED));
                if (!applied.contains(key)) {
                    lacking.add(key);
                }
            }
            return lacking;
        }
    }

    private static List<Unit> units() throws Exception {
        List<Unit> units = new ArrayList<>();
        try (InputStream list = CorpusTest.class.getResourceAsStream("debian-units")) {
            String text = new String(Objects.requireNonNull(list).readAllBytes(), UTF_8);
            text.lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> List.of(line.split(" ")))
                    .forEach(words ->
                            units.add(
                                    new Unit(
                                            UnitName.of(words.get(1)),
                                            words.subList(2, words.size()))));
        }
        return units;
    }

    @Test
    void fewUnitsHaveADirectiveThatIsNotSupported() throws Exception {
        List<Unit> units = units();
        Predicate<Unit> isService = unit -> unit.type() == UnitType.SERVICE;
        assertThat(units).hasSize(UNITS);
        assertThat(units).filteredOn(isService).hasSize(SERVICES);
        Map<UnitName, Set<String>> lacking = new TreeMap<>();
        for (Unit unit : units) {
            if (!unit.lacking().isEmpty()) {
                lacking.put(unit.name(), unit.lacking());
            }
        }
        assertThat(lacking).hasSizeLessThanOrEqualTo(LACKING);
        assertThat(lacking.keySet())
                .filteredOn(name -> name.type() == UnitType.SERVICE)
                .hasSizeLessThanOrEqualTo(SERVICES_LACKING);
        assertThat(lacking.values()).allMatch(LACKED::containsAll);
        assertThat(LACKED).allMatch(directive -> DirectiveCost.of(directive).isPresent());
    }
}
