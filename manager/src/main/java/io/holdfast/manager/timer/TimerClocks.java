package io.holdfast.manager.timer;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.EventLoop;
import io.holdfast.core.Readiness;
import io.holdfast.core.Registration;
import io.holdfast.core.sys.SysInotify;
import io.holdfast.core.sys.SysTime;
import io.holdfast.core.wait.SysTimerfd;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.unit.calendar.LocalZone;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The clocks that all timers of a manager share: they wait for points in time, and for a change of
 * the clock or of the time zone. While no timer waits it holds no descriptor; while all wait for
 * later times it causes no wakeup. Used on the event loop.
 */
public final class TimerClocks {
    private static final String ZONE_LINK = "/etc/localtime";

    /** Far enough, and valid for the kernel: the year 4000. */
    private static final long NEVER = 64_060_588_800_000_000L;

    /** Who waits for changes of the clock and the zone. */
    interface Changes {
        void clockSet();

        void zoneChanged();
    }

    private final EventLoop loop;
    private final Lane lane;
    private final Map<SysTimerfd.Clock, Alarms> alarms = new EnumMap<>(SysTimerfd.Clock.class);
    private final List<Changes> listeners = new ArrayList<>();
    private DualTimestamp started = DualTimestamp.now();
    private LocalZone zone = LocalZone.read();
    private @Nullable SysInotify zoneWatch;
    private int zoneFile = -1;

    /**
     * @param lane reads the time zone
     */
    public TimerClocks(EventLoop loop, Lane lane) {
        this.loop = loop;
        this.lane = lane;
    }

    DualTimestamp now() {
        return DualTimestamp.now();
    }

    LocalZone zone() {
        return zone;
    }

    /** Returns when this manager started, or the first of those that were killed. */
    DualTimestamp started() {
        return started;
    }

    /** Adopts the start of a manager that was killed. */
    void startedAt(DualTimestamp before) {
        if (!before.equals(DualTimestamp.NEVER) && before.monotonic() < started.monotonic()) {
            started = before;
        }
    }

    /**
     * Runs a task at a time of the wall clock.
     *
     * @param micros since 1970
     * @param wake whether it wakes the machine from suspend
     * @throws ErrnoException EPERM if this process may not wake the machine
     */
    Registration atRealtime(long micros, boolean wake, Runnable task) {
        return alarms(wake ? SysTimerfd.Clock.REALTIME_ALARM : SysTimerfd.Clock.REALTIME)
                .add(micros, task);
    }

    /**
     * Runs a task at a time of CLOCK_MONOTONIC.
     *
     * @param micros of CLOCK_MONOTONIC
     * @param wake whether it wakes the machine from suspend, and counts suspended time
     * @throws ErrnoException EPERM if this process may not wake the machine
     */
    Registration atMonotonic(long micros, boolean wake, Runnable task) {
        long left = Math.max(0, micros - now().monotonic());
        if (!wake) {
            return loop.after(Duration.of(left, ChronoUnit.MICROS), task);
        }
        long boot = SysTime.sinceBoot() / 1000;
        return alarms(SysTimerfd.Clock.BOOTTIME_ALARM).add(boot + left, task);
    }

    /** Reports changes of the clock and the zone until it is cancelled. */
    Registration onChange(Changes listener) {
        listeners.add(listener);
        alarms(SysTimerfd.Clock.REALTIME).arm();
        watchZone();
        return () -> {
            boolean removed = listeners.remove(listener);
            if (listeners.isEmpty()) {
                alarms(SysTimerfd.Clock.REALTIME).arm();
                if (zoneWatch != null) {
                    zoneWatch.close();
                    zoneWatch = null;
                }
            }
            return removed;
        };
    }

    private Alarms alarms(SysTimerfd.Clock clock) {
        return alarms.computeIfAbsent(clock, Alarms::new);
    }

    // ---- the time zone

    private void watchZone() {
        if (zoneWatch != null) {
            return;
        }
        SysInotify watch = null;
        try {
            watch = new SysInotify();
            var _ = loop.watch(watch.fd(), Readiness.IN, _ -> zoneFileChanged());
            zoneWatch = watch;
            watchZoneFile(watch);
            refreshZone(); // it may have changed while nobody looked
        } catch (ErrnoException e) { // no instance is left: changes take effect at a restart
            if (watch != null) {
                watch.close();
            }
        }
    }

    /** The link is replaced, not written: the watch of the old one reports its removal. */
    private void watchZoneFile(SysInotify watch) {
        int events =
                SysInotify.IN_ATTRIB
                        | SysInotify.IN_MOVE_SELF
                        | SysInotify.IN_CLOSE_WRITE
                        | SysInotify.IN_DELETE_SELF
                        | SysInotify.IN_DONT_FOLLOW;
        int file = watch.watch(ZONE_LINK, events);
        if (file == -Errno.ENOENT) {
            file = watch.watch("/etc", SysInotify.IN_CREATE | SysInotify.IN_MOVED_TO);
        }
        if (zoneFile >= 0 && zoneFile != file) {
            watch.forget(zoneFile);
        }
        zoneFile = file;
    }

    private void zoneFileChanged() {
        if (zoneWatch != null) {
            zoneWatch.drain();
            watchZoneFile(zoneWatch);
            refreshZone();
        }
    }

    private void refreshZone() {
        Work<LocalZone> _ =
                lane.work("the reading of the time zone", LocalZone::read)
                        .begin((now, _) -> {
                            if (now != null && !now.equals(zone)) {
                                zone = now;
                                List.copyOf(listeners).forEach(Changes::zoneChanged);
                            }
                        });
    }

    // ---- descriptors

    /** The tasks that wait for times of one clock, on one descriptor. */
    private final class Alarms {
        private final SysTimerfd.Clock clock;
        private final TreeSet<Alarm> waiting = new TreeSet<>();
        private @Nullable SysTimerfd fd;
        private long armed;
        private long order;

        Alarms(SysTimerfd.Clock clock) {
            this.clock = clock;
        }

        Registration add(long micros, Runnable task) {
            Alarm alarm = new Alarm(micros, order++, task);
            waiting.add(alarm);
            try {
                arm();
            } catch (ErrnoException e) {
                waiting.remove(alarm);
                throw e;
            }
            return () -> {
                boolean removed = waiting.remove(alarm);
                if (removed) {
                    arm();
                }
                return removed;
            };
        }

        /** Arms the descriptor for the first task, or closes it. */
        void arm() {
            boolean listens = clock == SysTimerfd.Clock.REALTIME && !listeners.isEmpty();
            if (waiting.isEmpty() && !listens) {
                if (fd != null) {
                    fd.close();
                    fd = null;
                }
                return;
            }
            long next = waiting.isEmpty() ? NEVER : Math.min(waiting.first().at(), NEVER);
            if (fd == null) {
                SysTimerfd made = new SysTimerfd(clock);
                fd = made;
                var _ = loop.watch(made.fd(), Readiness.IN, _ -> ready());
            } else if (next == armed) {
                return;
            }
            armed = next;
            if (fd.set(next)) {
                loop.postEnding(this::clockSet);
            }
        }

        private void ready() {
            if (fd == null) {
                return;
            }
            armed = 0;
            if (fd.drain()) {
                clockSet();
            }
            long now =
                    clock == SysTimerfd.Clock.BOOTTIME_ALARM
                            ? SysTime.sinceBoot() / 1000
                            : now().realtime();
            while (!waiting.isEmpty() && waiting.first().at() <= now) {
                waiting.removeFirst().task().run();
            }
            arm();
        }

        private void clockSet() {
            armed = 0;
            arm();
            List.copyOf(listeners).forEach(Changes::clockSet);
        }
    }

    private record Alarm(long at, long order, Runnable task) implements Comparable<Alarm> {
        @Override
        public int compareTo(Alarm other) {
            int byTime = Long.compare(at, other.at);
            return byTime != 0 ? byTime : Long.compare(order, other.order);
        }
    }
}
