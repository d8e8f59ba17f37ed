package io.holdfast.manager;

import io.holdfast.manager.catalog.UnitCatalog;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.reaction.StateChanges;
import io.holdfast.manager.request.TransientStarts;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.install.InstallFolders;
import io.holdfast.manager.unit.install.InstallRequest;
import io.holdfast.manager.unit.install.InstallResult;
import io.holdfast.manager.unit.install.Presets;
import io.holdfast.manager.unit.install.UnitInstaller;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.section.UnitReader;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * The unit files of a manager: which units are enabled, and what is set for them. Unless a method
 * says otherwise, it is called on the event loop, and futures complete there.
 */
public final class UnitFiles {
    private final ManagerContext context;
    private final LoadPath loadPath;
    private final UnitTable units;
    private final UnitCatalog catalog;
    private final TransientStarts transients;
    private final StateChanges changes;
    private final ReplyWork work;

    UnitFiles(
            ManagerContext context,
            LoadPath loadPath,
            UnitTable units,
            UnitCatalog catalog,
            TransientStarts transients,
            StateChanges changes,
            ReplyWork work) {
        this.context = context;
        this.loadPath = loadPath;
        this.units = units;
        this.catalog = catalog;
        this.transients = transients;
        this.changes = changes;
        this.work = work;
    }

    /**
     * Changes which units are enabled or masked, after other such operations. The units notice it
     * at the next reload.
     */
    public CompletableFuture<InstallResult> install(InstallRequest request) {
        return work.run("which units are enabled", () -> installer().run(request));
    }

    /**
     * Sets properties of a unit: writes their drop-ins, and applies them as far as the unit can
     * while it is up.
     *
     * @param runtime whether they last until the next boot only
     * @param lines the lines of each directive, with the header of their section
     * @return fails with {@link JobRefusedException}, after doing nothing, if there is no such unit
     *     or a value is invalid
     */
    public CompletableFuture<Boolean> setProperties(
            UnitName name, boolean runtime, Map<String, String> lines) {
        InstallFolders folders = folders();
        return work.run(
                        "the drop-ins of units",
                        () -> transients.written(name, folders, runtime, lines))
                .thenApply(read -> {
                    if (units.find(read.name()) != null) {
                        units.take(read);
                        changes.reloaded(List.of(read.name()));
                        context.events().changed(read.name());
                    }
                    return true;
                });
    }

    /** Returns the links that disabling a unit would remove. */
    public CompletableFuture<List<String>> links(UnitName name, boolean runtime) {
        return work.run(() -> installer().links(name, runtime));
    }

    /** Returns the rules that enable and disable units by default. Blocking. */
    public Presets presets() {
        return Presets.read(folders().presets());
    }

    /** Returns the folders whose links enable units. */
    public InstallFolders folders() {
        return InstallFolders.of(context.scope(), loadPath);
    }

    /** Returns the unit that {@code default.target} is. */
    public CompletableFuture<Optional<UnitName>> defaultTarget() {
        return work.run(() -> installer().defaultTarget());
    }

    private UnitInstaller installer() {
        return new UnitInstaller(
                folders(),
                new UnitReader(context.host(), context.scope(), context.configuration()));
    }

    /**
     * Reads all units that have files or are an alias. Callable from any thread.
     *
     * @param summary run on a worker thread; only its result stays in memory
     */
    public <T> CompletableFuture<T> installed(Function<Map<UnitName, Unit>, T> summary) {
        return work.run(() -> summary.apply(catalog.installed()));
    }
}
