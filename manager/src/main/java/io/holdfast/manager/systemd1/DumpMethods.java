package io.holdfast.manager.systemd1;

import io.holdfast.dbus.BusInterface;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.view.UnitView;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** The method by which {@code systemd-analyze dump} describes all units, as text for people. */
final class DumpMethods {
    private final ManagerView manager;

    DumpMethods(ManagerView manager) {
        this.manager = manager;
    }

    void addTo(BusInterface.Builder builder) {
        builder.method("Dump", "", "s", _ -> List.of(dump()), "output");
    }

    private String dump() {
        StringBuilder text =
                new StringBuilder(
                        "Manager: holdfast\nUnits: %d\nJobs: %d\n"
                                .formatted(manager.names().size(), manager.jobs().size()));
        manager.units().stream()
                .sorted(Comparator.comparing(unit -> unit.unit().name().text()))
                .forEach(unit -> describe(unit, text));
        return text.toString();
    }

    private static void describe(UnitView unit, StringBuilder text) {
        text.append("-> Unit ").append(unit.unit().name()).append(":\n");
        line(text, "Description", unit.unit().unit().description());
        line(text, "Unit Load State", unit.status().loadState());
        String state = unit.status().activeState().word();
        line(text, "Unit Active State", state + " (" + unit.status().subState() + ")");
        line(text, "Invocation ID", unit.status().invocationId());
        line(text, "CGroup", unit.status().cgroup().orElse(""));
        unit.job().ifPresent(job -> line(text, "Job", String.valueOf(job.id())));
        Stream.concat(
                        unit.unit().source().fragment().stream(),
                        unit.unit().source().dropIns().stream())
                .map(Path::toString)
                .forEach(file -> line(text, "File", file));
        for (Dependency kind : Dependency.values()) {
            unit.unit()
                    .unit()
                    .dependencies()
                    .of(kind)
                    .forEach(other -> line(text, kind.directive(), other.text()));
        }
    }

    private static void line(StringBuilder text, String name, String value) {
        if (!value.isEmpty()) {
            text.append('\t').append(name).append(": ").append(value).append('\n');
        }
    }
}
