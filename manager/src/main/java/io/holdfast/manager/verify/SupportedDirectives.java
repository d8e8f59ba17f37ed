package io.holdfast.manager.verify;

import io.holdfast.manager.unit.DirectiveCost;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.section.UnitReader;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The page of the systemd directives that are supported: generated from the readers themselves, so
 * that it always matches the manager.
 */
public final class SupportedDirectives {
    private record Section(UnitType type, String name) {}

    private static final List<Section> SECTIONS =
            List.of(
                    new Section(UnitType.SERVICE, "Unit"),
                    new Section(UnitType.SERVICE, "Service"),
                    new Section(UnitType.SOCKET, "Socket"),
                    new Section(UnitType.SERVICE, "Install"));

    private SupportedDirectives() {}

    /** {@return the page, in Markdown} */
    public static String markdown() {
        StringBuilder page = new StringBuilder();
        page.append("# Directives of unit files\n\n")
                .append("What Holdfast's manager does with the directives of systemd 257.\n")
                .append("`holdfast verify UNIT` shows this for one unit, with the lines.\n")
                .append("This page is the output of `holdfast verify --directives`.\n");
        for (Section section : SECTIONS) {
            append(page, section);
        }
        return page.toString();
    }

    private static void append(StringBuilder page, Section section) {
        Set<String> applied = UnitReader.applied(section.type(), section.name());
        List<String> others =
                UnitReader.known(section.name()).stream()
                        .filter(directive -> !applied.contains(directive))
                        .toList();
        page.append("\n## [").append(section.name()).append("]\n\n");
        page.append("Supported: ").append(String.join(", ", applied)).append("\n");
        if (others.isEmpty()) {
            return;
        }
        page.append("\n| not supported | what holds instead |\n|---|---|\n");
        for (String directive : others) {
            Optional<DirectiveCost> cost = DirectiveCost.of(directive);
            page.append("| ")
                    .append(directive)
                    .append(" | ")
                    .append(cost.map(SupportedDirectives::text).orElse(""))
                    .append(" |\n");
        }
    }

    private static String text(DirectiveCost cost) {
        return cost.text() + (cost.security() ? " (security)" : "");
    }
}
