package io.holdfast.manager.verify;

import io.holdfast.manager.unit.DirectiveCost;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.DirectiveTable;
import io.holdfast.manager.unit.section.UnitReader;
import io.holdfast.manager.unit.section.UnitReader.Support;
import io.holdfast.manager.unit.settings.ManagerSetting;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Set;

/**
 * The page of the systemd directives that are supported: generated from the readers themselves, so
 * that it always matches the manager.
 */
public final class SupportedDirectives {
    private record Section(UnitType type, String name) {}

    private SupportedDirectives() {}

    /** {@return the page, in Markdown} */
    public static String markdown() {
        StringBuilder page = new StringBuilder();
        page.append("# Directives of unit files\n\n")
                .append("What Holdfast's manager does with the directives of systemd ")
                .append(ManagerScope.SYSTEMD_VERSION)
                .append(" and of a few newer ones.\n")
                .append("This page is the output of `holdfast verify --directives`, which asks the")
                .append(" code that reads them.\n")
                .append("A unit with directives that are not supported starts without them, unless")
                .append(" a table says otherwise;\n")
                .append("`holdfast verify UNIT` names their lines.\n")
                .append("A filter of system calls implies `NoNewPrivileges=` if the service has")
                .append(" another user and the filter forbids capget(2),\n")
                .append("capset(2) or prctl(2), as with systemd, and where the manager has no")
                .append(" CAP_SYS_ADMIN.\n");
        append(page, new Section(UnitType.SERVICE, "Unit"));
        Arrays.stream(UnitType.values())
                .filter(type -> !DirectiveTable.of(type.section()).isEmpty())
                .forEach(type -> append(page, new Section(type, type.section())));
        append(page, new Section(UnitType.SERVICE, "Install"));
        appendConfiguration(page);
        return page.toString();
    }

    private static void append(StringBuilder page, Section section) {
        page.append("\n## [").append(section.name()).append("]\n");
        list(page, "Supported", directives(section, Support.APPLIED));
        Set<String> read = directives(section, Support.READ);
        list(page, "Read, but not acted on", withoutCost(read));
        Set<String> others = directives(section, Support.NONE);
        list(page, "Not supported", withoutCost(others));
        read.addAll(others);
        List<String> missed = read.stream().filter(SupportedDirectives::hasCost).sorted().toList();
        if (!missed.isEmpty()) {
            page.append("\n| not supported | what holds instead |\n|---|---|\n");
        }
        for (String directive : missed) {
            DirectiveCost cost = DirectiveCost.of(directive).orElseThrow();
            page.append("| ")
                    .append(directive)
                    .append(" | ")
                    .append(cost.text())
                    .append(cost.security() ? " (security)" : "")
                    .append(" |\n");
        }
    }

    private static void appendConfiguration(StringBuilder page) {
        page.append("\n## system.conf and user.conf\n\n")
                .append("The system's manager reads `system.conf`, a user's manager `user.conf`,")
                .append(" from the folders of systemd-system.conf(5), with their\n")
                .append("drop-ins, at its start and at `daemon-reload`.")
                .append(" It names the settings that have no effect.\n");
        configuration(page, "setting | sets", true);
        configuration(page, "not supported | what holds instead", false);
    }

    private static void configuration(StringBuilder page, String title, boolean supported) {
        page.append("\n| ").append(title).append(" |\n|---|---|\n");
        ManagerSetting.ALL.values().stream()
                .filter(setting -> setting.isSupported() == supported)
                .sorted(Comparator.comparing(ManagerSetting::name))
                .forEach(setting ->
                        page.append("| ")
                                .append(setting.name())
                                .append(" | ")
                                .append(setting.effect())
                                .append(" |\n"));
    }

    private static Set<String> directives(Section section, Support support) {
        return UnitReader.directives(section.type(), section.name(), support);
    }

    private static boolean hasCost(String directive) {
        return DirectiveCost.of(directive).isPresent();
    }

    private static List<String> withoutCost(Set<String> directives) {
        return directives.stream().filter(directive -> !hasCost(directive)).toList();
    }

    private static void list(StringBuilder page, String title, Collection<String> directives) {
        if (!directives.isEmpty()) {
            page.append("\n").append(title).append(": ");
            page.append(String.join(", ", directives)).append("\n");
        }
    }
}
