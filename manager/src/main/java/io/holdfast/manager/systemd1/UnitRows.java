package io.holdfast.manager.systemd1;

import io.holdfast.dbus.wire.ObjectPath;
import io.holdfast.manager.ManagerView;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.systemd1.format.Names;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.UnitView;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** The rows of {@code ListUnits} and its variants. */
final class UnitRows {
    private UnitRows() {}

    /** Returns the loaded units that a filter admits: {@code a(ssssssouso)}. */
    static List<List<?>> of(ManagerView manager, UnitFilter filter) {
        List<List<?>> list = new ArrayList<>();
        for (UnitView unit : manager.units()) {
            if (filter.admits(unit)) {
                list.add(entry(unit));
            }
        }
        return list;
    }

    static List<?> entry(UnitView unit) {
        UnitName name = unit.unit().name();
        return List.of(
                name.text(),
                unit.unit().unit().description(),
                unit.status().loadState(),
                unit.status().activeState().word(),
                unit.status().subState(),
                "",
                new ObjectPath(Names.path(name)),
                unit.job().map(UnitJob::id).orElse(0L),
                unit.job().map(job -> job.type().word()).orElse(""),
                new ObjectPath(Names.jobPath(unit.job().map(UnitJob::id).orElse(0L))));
    }

    /** Returns jobs as {@code a(usssoo)}. */
    static List<List<?>> jobs(Collection<UnitJob> jobs) {
        List<List<?>> list = new ArrayList<>();
        for (UnitJob job : jobs) {
            list.add(
                    List.of(
                            job.id(),
                            job.unit().text(),
                            job.type().word(),
                            job.state(),
                            new ObjectPath(Names.jobPath(job.id())),
                            new ObjectPath(Names.path(job.unit()))));
        }
        return list;
    }
}
