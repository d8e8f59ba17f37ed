package io.holdfast.manager.runtime;

import io.holdfast.core.EventLoop;
import io.holdfast.core.machine.SubordinateUids;
import io.holdfast.core.wait.FdCloser;
import io.holdfast.manager.exec.DynamicUids;
import io.holdfast.manager.exec.SandboxSupport;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.log.UnitLogs;
import io.holdfast.manager.loop.ManagerCounters;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Workers;
import io.holdfast.manager.notify.NotifySockets;
import io.holdfast.manager.process.ProcessIndex;
import io.holdfast.manager.process.UnitCgroups;
import io.holdfast.manager.resource.CgroupPrograms;
import io.holdfast.manager.resource.ControllerTree;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.resource.ResourceSettings;
import io.holdfast.manager.unit.settings.ManagerConfiguration;
import io.holdfast.manager.view.UnitStatus;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The context that the units of a manager share.
 *
 * @param closer closes descriptors received from services and others, by unit or user
 * @param configuration defaults of the units
 * @param cgroups empty if there are none: then only main processes and their groups are tracked
 * @param processes maps each process to its unit
 * @param runtimeFolder holds the files and sockets of the manager
 * @param journalSettings the folder of what the receiver of log messages reads about units
 * @param notifySockets the sockets to which services send messages
 * @param uids the uids of the dynamic users of all units
 * @param sandboxes the parts of a sandbox that can be made for units here
 * @param subordinates the owners of subordinate uids
 * @param survival keeps what has to outlive the manager
 * @param counters counts events of units
 */
public record ManagerContext(
        EventLoop loop,
        Workers workers,
        FdCloser<String> closer,
        ManagerScope scope,
        ManagerConfiguration configuration,
        Host host,
        Optional<UnitCgroups> cgroups,
        ProcessIndex processes,
        Path runtimeFolder,
        Path journalSettings,
        NotifySockets notifySockets,
        DynamicUids uids,
        SandboxSupport sandboxes,
        SubordinateUids subordinates,
        ManagerListener listener,
        UnitLogs logs,
        Survival survival,
        ManagerCounters counters,
        Events events) {

    /** The events that units report to the manager, and the services that they get from it. */
    public interface Events {
        /** Called when a unit has become inactive or failed. */
        void settled(UnitName unit, ActiveState state);

        /**
         * Returns the bus on which the names of Type=dbus services are watched, once it is known.
         */
        Optional<BusNameWatcher> busNames();

        /** Calls back with that bus, now or as soon as it is known. */
        void whenBusIsKnown(Consumer<BusNameWatcher> callback);

        /** Returns all loaded units. */
        Collection<ManagedUnit> units();

        /** Returns the link between units and those that trigger them. */
        Activation activation();

        /** Called when a unit was added to the table. */
        default void loaded(UnitName unit) {}

        /** Called when units may no longer be in use. */
        default void unused(Collection<UnitName> units) {}

        /** Called when a unit is about to be removed from the table. */
        default void unloading(UnitName unit) {}

        /** Called when a unit's state has changed. */
        default void changed(UnitName unit) {}

        Optional<UnitJob> jobOf(UnitName unit);

        /**
         * Queues the automatic restart of a unit.
         *
         * @param alone whether units that depend on it are left alone instead of restarted too
         * @return why it is refused; empty if it is not
         */
        Optional<String> restart(UnitName unit, boolean alone);

        /** Called when the start limit refused a start. */
        void startLimitHit(UnitName unit);

        /**
         * Returns the variables that describe to a handler of {@code OnFailure=} the unit that it
         * was started for.
         */
        Map<String, String> monitorVariables(UnitName handler);

        /** Called when a spawn is over. */
        void spawned();

        /**
         * Assigns orphans to their units where cgroups cannot identify them; elsewhere it has
         * nothing to do.
         */
        void lookForOrphans(Runnable then);
    }

    /** Returns the directives of a unit that need controllers or programs which cannot be used. */
    public List<Diagnostic> unapplied(UnitSource unit, ResourceSettings settings) {
        ControllerTree controllers =
                cgroups.map(UnitCgroups::controllers).orElse(ControllerTree.NONE);
        return Stream.concat(
                        controllers.diagnostics(unit, settings).stream(),
                        programs().diagnostics(unit, settings))
                .toList();
    }

    /** Returns what restricts devices and addresses. */
    public CgroupPrograms programs() {
        return cgroups.map(UnitCgroups::programs).orElse(CgroupPrograms.NONE);
    }

    /** Adds the last lines of a unit's log to its status. */
    public UnitStatus withLog(UnitName unit, UnitStatus status) {
        int most = ManagerLimits.LOG_LINES.intValue();
        return logs.find(unit)
                .map(log -> status.withLog(log.last(most), log.onlyWriter()))
                .orElse(status);
    }

    /** Logs an event of the manager itself. */
    public void notice(String text) {
        listener.event(ManagerListener.Level.NOTICE, text);
    }

    public void warn(String text) {
        listener.event(ManagerListener.Level.WARNING, text);
    }

    public void debug(UnitName unit, String text) {
        listener.event(unit, ManagerListener.Level.DEBUG, text);
    }

    public void info(UnitName unit, String text) {
        listener.event(unit, ManagerListener.Level.INFO, text);
    }

    public void notice(UnitName unit, String text) {
        listener.event(unit, ManagerListener.Level.NOTICE, text);
    }

    public void warn(UnitName unit, String text) {
        listener.event(unit, ManagerListener.Level.WARNING, text);
    }

    public void error(UnitName unit, String text) {
        listener.event(unit, ManagerListener.Level.ERROR, text);
    }
}
