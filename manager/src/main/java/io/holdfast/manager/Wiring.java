package io.holdfast.manager;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Registration;
import io.holdfast.core.machine.SubordinateUids;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.sys.SysAutofs;
import io.holdfast.core.sys.process.SysPrctl;
import io.holdfast.core.wait.FdCloser;
import io.holdfast.manager.catalog.TransientFiles;
import io.holdfast.manager.catalog.UnitCatalog;
import io.holdfast.manager.device.DeviceTable;
import io.holdfast.manager.device.ManagedDevice;
import io.holdfast.manager.exec.DynamicUids;
import io.holdfast.manager.exec.Inaccessible;
import io.holdfast.manager.exec.JournalSettingsFiles;
import io.holdfast.manager.exec.Leftovers;
import io.holdfast.manager.exec.SandboxSupport;
import io.holdfast.manager.log.LogLevelFilter;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.log.UnitLogs;
import io.holdfast.manager.loop.ManagerCounters;
import io.holdfast.manager.loop.TableWatch;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.loop.Workers;
import io.holdfast.manager.mount.ManagedAutomount;
import io.holdfast.manager.mount.ManagedMount;
import io.holdfast.manager.mount.ManagedSwap;
import io.holdfast.manager.notify.NotifyRouter;
import io.holdfast.manager.notify.NotifySockets;
import io.holdfast.manager.path.ManagedPath;
import io.holdfast.manager.process.ChildSignal;
import io.holdfast.manager.process.ExitText;
import io.holdfast.manager.process.KeeperOrphans;
import io.holdfast.manager.process.Orphans;
import io.holdfast.manager.process.ProcessIndex;
import io.holdfast.manager.process.UnitCgroups;
import io.holdfast.manager.process.Workload;
import io.holdfast.manager.reaction.Ending;
import io.holdfast.manager.reaction.StateChanges;
import io.holdfast.manager.request.Jobs;
import io.holdfast.manager.request.TransientStarts;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitKinds;
import io.holdfast.manager.runtime.UnitListeners;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.scope.ManagedScope;
import io.holdfast.manager.service.ManagedService;
import io.holdfast.manager.slice.ManagedSlice;
import io.holdfast.manager.socket.ManagedSocket;
import io.holdfast.manager.survival.Predecessor;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.target.ManagedTarget;
import io.holdfast.manager.timer.ManagedTimer;
import io.holdfast.manager.timer.TimerClocks;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.file.MountTable;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.section.UnitReader;
import io.holdfast.manager.unit.settings.ManagerConfiguration;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * The parts of a manager, and how they are connected. It opens them in the order in which they use
 * each other, and adopts what an earlier manager left. Used on the event loop.
 */
final class Wiring implements AutoCloseable {
    final EventLoop loop = EventLoop.open();
    private final Workers workers;
    final FdCloser<String> closer = new FdCloser<>("holdfast-close");
    private final ManagerOptions options;
    private final UnitCatalog catalog;
    final Optional<UnitCgroups> cgroups;
    final UnitTable units;
    final ProcessIndex processes;
    final Ending ending;
    final Jobs jobs;
    private final StateChanges changes;
    private final TransientFiles made;
    final UnitEvents events;
    final ManagerView view;
    private final NotifyRouter messages;
    final NotifySockets notify;
    final Orphans orphans;
    private final DynamicUids uids;
    final Survival survival;
    private final UnitLogs logs;
    final ManagerCounters counters = new ManagerCounters();
    private final ManagerResources resources;
    private final Registration childSignal;

    Wiring(
            ManagerOptions options,
            ManagerListener listener,
            ManagerResources resources,
            Ending.Stops stops,
            Supplier<CompletableFuture<Void>> reexecute) {
        this.options = options;
        this.resources = resources;
        this.processes = new ProcessIndex(options.journalSettings().resolve("processes"));
        this.cgroups = resources.cgroups();
        this.survival = resources.survival();
        Host host = Host.read();
        LogLevelFilter logLevel = new LogLevelFilter(listener);
        ManagerConfiguration configuration =
                new ManagerConfiguration(options.loadPath().configuration(), host, options.scope());
        List<String> unused = configuration.read();
        logLevel.configured(configuration.get().logLevel());
        Consumer<String> warnings = text -> logLevel.event(ManagerListener.Level.WARNING, text);
        workers = new Workers(loop, warnings);
        made = new TransientFiles(options.runtimeDirectory());
        if (!survival.isAfterCrash()) {
            made.clear();
        }
        catalog =
                new UnitCatalog(
                        options.loadPath(),
                        options.units(),
                        new UnitReader(host, options.scope(), configuration),
                        made);
        uids = new DynamicUids(Path.of(options.scope().runtimeDirectory()));
        logs = new UnitLogs(logLevel, counters, options.journal());
        UnitListeners listeners = new UnitListeners();
        messages =
                new NotifyRouter(
                        loop,
                        closer,
                        warnings,
                        cgroups.isPresent(),
                        processes,
                        counters,
                        this::recipient);
        notify =
                new NotifySockets(
                        resources.folder(), loop, closer, messages, survival, counters, warnings);
        events = new UnitEvents(listeners, messages, survival);
        ManagerContext context =
                new ManagerContext(
                        loop,
                        workers,
                        closer,
                        options.scope(),
                        configuration,
                        host,
                        cgroups,
                        processes,
                        options.runtimeDirectory(),
                        options.journalSettings(),
                        notify,
                        uids,
                        SandboxSupport.find(options.sandbox()),
                        SubordinateUids.ofSystem(),
                        logLevel,
                        logs,
                        survival,
                        counters,
                        events);
        units =
                new UnitTable(
                        context,
                        new UnitKinds(
                                rows(
                                        options.scope(),
                                        new TimerClocks(loop, workers.ownLane("time zone")),
                                        new TableWatch<>(
                                                loop,
                                                workers.ownLane("mounts"),
                                                MountTable.FILE,
                                                TableWatch.Source.ofFile(MountTable.FILE),
                                                MountTable.EMPTY,
                                                MountTable::readWhole,
                                                warnings),
                                        new ManagedSwap.Table(
                                                loop, workers.ownLane("swaps"), warnings),
                                        new DeviceTable(
                                                loop, workers.ownLane("devices"), warnings))));
        ending = new Ending(options.isContainerInit(), survival.predecessor().stopping(), stops);
        jobs = new Jobs(context, units, catalog, listeners);
        changes = new StateChanges(context, units, catalog, jobs, ending);
        TransientStarts transients = new TransientStarts(context, units, catalog, made, jobs);
        view =
                new ManagerView(
                        context,
                        options,
                        units,
                        catalog,
                        jobs,
                        changes,
                        transients,
                        listeners,
                        logLevel,
                        ending,
                        reexecute);
        boolean tracked = cgroups.isEmpty() && options.ownsProcess();
        if (cgroups.isPresent() || tracked) { // otherwise orphans and children look alike
            ErrnoException.check(
                    SysPrctl.setChildSubreaper(true), "prctl(PR_SET_CHILD_SUBREAPER)", "");
        }
        orphans =
                new Orphans(
                        loop,
                        workers.ownLane("orphans"),
                        this::isOurs,
                        tracked,
                        processes,
                        this::adopt,
                        context::warn);
        events.connect(new UnitEvents.Parts(units, jobs, changes, transients, orphans));
        childSignal = ChildSignal.watch(loop, orphans::look);
        Recovery recovery = new Recovery(context, units, catalog, made, jobs);
        survival.begin(loop, recovery::record);
        if (survival.isAfterCrash()) {
            orphans.includeKeeper();
            survival.adopted(recovery.run());
            context.notice(describe(survival.predecessor()));
            new KeeperOrphans(
                            loop,
                            workers.ownLane("orphans of the keeper"),
                            processes,
                            () -> survival.whenWritten(survival::reap))
                    .begin();
        } else {
            unused.forEach(context::warn);
        }
        removeLeftovers(context);
        cgroups.ifPresent(each -> {
            each.controllers().warnings(text -> loop.postEnding(() -> context.warn(text)));
            each.programs().warnings(text -> loop.postEnding(() -> context.warn(text)));
        });
    }

    /** Returns the types of units that can run here. */
    private static Map<UnitType, UnitKinds.Row> rows(
            ManagerScope scope,
            TimerClocks clocks,
            TableWatch<MountTable> mounts,
            ManagedSwap.Table swaps,
            DeviceTable devices) {
        Map<UnitType, UnitKinds.Row> rows = new EnumMap<>(UnitType.class);
        rows.put(UnitType.SERVICE, ManagedService::new);
        rows.put(UnitType.SOCKET, ManagedSocket::new);
        rows.put(UnitType.TARGET, ManagedTarget::new);
        rows.put(UnitType.SLICE, ManagedSlice::new);
        rows.put(UnitType.SCOPE, ManagedScope::new);
        rows.put(UnitType.PATH, ManagedPath::new);
        rows.put(UnitType.TIMER, (shared, unit) -> new ManagedTimer(shared, unit, clocks));
        rows.put(UnitType.MOUNT, (shared, unit) -> new ManagedMount(shared, unit, mounts));
        rows.put(UnitType.DEVICE, (shared, unit) -> new ManagedDevice(shared, unit, devices));
        if (!scope.user()) {
            rows.put(UnitType.SWAP, (shared, unit) -> new ManagedSwap(shared, unit, swaps));
            if (Files.exists(Path.of(SysAutofs.DEVICE))) {
                rows.put(
                        UnitType.AUTOMOUNT,
                        (shared, unit) -> new ManagedAutomount(shared, unit, mounts));
            }
        }
        return rows;
    }

    private static String describe(Predecessor before) {
        String ended = before.handedOver() ? "has handed over" : "ended";
        return "the manager before this one "
                + before.how().map(ExitText::ofManager).orElse(ended)
                + ": adopted "
                + (before.adopted() == 1 ? "one unit" : before.adopted() + " units");
    }

    private Optional<NotifyRouter.Recipient> recipient(UnitName name) {
        return Optional.ofNullable(units.find(name)).flatMap(ManagedUnit::recipient);
    }

    private boolean adopt(Workload run, PidFd orphan) {
        ManagedUnit unit = units.find(run.unit());
        return unit != null && unit.adopt(orphan, run.invocationId());
    }

    private static void removeLeftovers(ManagerContext context) {
        Consumer<String> warnings = text -> context.loop().postEnding(() -> context.warn(text));
        Work<Integer> _ =
                context.workers()
                        .ownLane("leftovers")
                        .work(
                                "the removal of leftovers",
                                () -> Leftovers.remove(context.sandboxes(), warnings))
                        .begin((count, failure) -> {
                            if (count == null) {
                                context.warn("cannot look for leftovers: " + failure);
                            } else if (count > 0) {
                                context.notice(
                                        "removed %d temporary %s that a killed manager left"
                                                .formatted(
                                                        count, count == 1 ? "folder" : "folders"));
                            }
                        });
    }

    /**
     * Returns whether an exited orphan belonged to the units of this manager, as far as can be
     * found out.
     */
    private boolean isOurs(PidFd process) {
        if (options.ownsProcess()) {
            return true;
        }
        if (cgroups.isEmpty()) {
            return false;
        }
        try {
            String path = process.proc().cgroup();
            return path.startsWith(cgroups.get().path().path() + "/");
        } catch (ErrnoException e) {
            return false;
        }
    }

    /** Ends what still runs, and removes the files of the manager. */
    @Override
    public void close() {
        childSignal.cancel();
        units.all().forEach(ManagedUnit::abandon);
        changes.triggers().abandon();
        survival.end();
        notify.close();
        messages.close();
        view.close();
        workers.close();
        closer.close();
        cgroups.ifPresent(UnitCgroups::close);
        orphans.close();
        loop.close();
        Inaccessible.in(options.runtimeDirectory()).remove();
        processes.close();
        JournalSettingsFiles.removeFolder(options.journalSettings());
        uids.removeFolder();
        made.clear();
        resources.unlock();
    }
}
