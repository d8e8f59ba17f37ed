package io.holdfast.manager.runtime;

import io.holdfast.core.EventLoop;
import io.holdfast.core.FdCloser;
import io.holdfast.manager.exec.DynamicUids;
import io.holdfast.manager.job.UnitJob;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.log.UnitLogs;
import io.holdfast.manager.loop.ManagerCounters;
import io.holdfast.manager.loop.Workers;
import io.holdfast.manager.process.ProcessIndex;
import io.holdfast.manager.process.UnitCgroups;
import io.holdfast.manager.survival.Survival;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.value.Host;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What the units of a manager share.
 *
 * @param closer of descriptors that services and others have sent, by unit or user
 * @param cgroups empty where there are none: then only main processes and their groups are tracked
 * @param processes which unit each process belongs to
 * @param notifySocket the path for {@code $NOTIFY_SOCKET}
 * @param uids of the dynamic users of all units
 * @param survival keeps what is to outlive the manager
 * @param counters count what units do
 */
public record ManagerContext(
        EventLoop loop,
        Workers workers,
        FdCloser<String> closer,
        ManagerScope scope,
        Host host,
        Optional<UnitCgroups> cgroups,
        ProcessIndex processes,
        Path notifySocket,
        DynamicUids uids,
        ManagerListener listener,
        UnitLogs logs,
        Survival survival,
        ManagerCounters counters,
        Events events) {

    /** What units tell their manager, and what they ask of it. */
    public interface Events {
        /** A unit has come to rest, or has failed. */
        void settled(UnitName unit, ActiveState state);

        /** Where names of Type=dbus are watched, once that is known. */
        Optional<BusNames> busNames();

        /** Told of the same, now or as soon as it is known. */
        void whenBusIsKnown(Consumer<BusNames> told);

        /** What sockets and services ask of each other. */
        Activation activation();

        /** A unit was taken into the table. */
        default void loaded(UnitName unit) {}

        /** These may not be in use any more. */
        default void unused(Collection<UnitName> units) {}

        /** A unit is about to be taken out of the table. */
        default void unloading(UnitName unit) {}

        /** Something of a unit's state is another. */
        default void changed(UnitName unit) {}

        /** The job of a unit, if it has one. */
        Optional<UnitJob> jobOf(UnitName unit);

        /**
         * Queues the automatic restart of a unit.
         *
         * @param alone whether units that depend on it are not restarted too
         * @return why it is refused; empty if it is not
         */
        Optional<String> restart(UnitName unit, boolean alone);

        /** A start was refused because there were too many. */
        void startLimitHit(UnitName unit);

        /** The variables that tell a handler of {@code OnFailure=} what it was started for. */
        Map<String, String> monitorVariables(UnitName handler);

        /** A spawn is over. */
        void spawned();

        /**
         * Where orphans have no cgroup that tells whose they are: gives each to its unit. Else
         * there is nothing to do.
         */
        void lookForOrphans(Runnable then);
    }

    /** Of the manager itself. */
    public void notice(String text) {
        listener.event(ManagerListener.Level.NOTICE, text);
    }

    public void warn(String text) {
        listener.event(ManagerListener.Level.WARNING, text);
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
