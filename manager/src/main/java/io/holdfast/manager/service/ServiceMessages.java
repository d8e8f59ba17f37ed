package io.holdfast.manager.service;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.wait.FdCloser;
import io.holdfast.manager.log.Complaints;
import io.holdfast.manager.loop.TimeLimit;
import io.holdfast.manager.notify.NotifyMessage;
import io.holdfast.manager.notify.NotifySender;
import io.holdfast.manager.run.UnitRun;
import io.holdfast.manager.unit.section.ServiceSection.NotifyAccess;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.view.ReportedErrors;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Handles the notify messages of a service: decides which of its processes may send them
 * (NotifyAccess=), and applies them. Used on the event loop.
 */
final class ServiceMessages {
    private final ServiceLife life;
    private final ServiceStart start;
    private final ServiceReload reload;
    private final ServiceStop stop;
    private final Watchdog watchdog;
    private @Nullable Throttle notices;

    ServiceMessages(
            ServiceLife life,
            ServiceStart start,
            ServiceReload reload,
            ServiceStop stop,
            Watchdog watchdog) {
        this.life = life;
        this.start = start;
        this.reload = reload;
        this.stop = stop;
        this.watchdog = watchdog;
    }

    /** Handles a datagram from a process of this service. */
    void take(NotifySender sender, byte[] datagram, List<Fd> descriptors) {
        try {
            take(sender, NotifyMessage.parse(datagram), descriptors);
        } catch (NotifyMessage.MalformedException e) {
            refuse("malformed", sender, "refused: " + e.getMessage());
        }
    }

    private void take(NotifySender sender, NotifyMessage message, List<Fd> descriptors) {
        if (message.barrier()) {
            return; // earlier messages are done; the caller closes its descriptor
        }
        Optional<UnitRun> run = life.run();
        if (run.isEmpty()) {
            refuse("no run", sender, "ignored: not running");
            return;
        }
        if (!mayNotify(run.get(), sender.process())) {
            refuse("access", sender, "ignored: " + access());
            return;
        }
        message.status().ifPresent(life::statusText);
        errors(message);
        message.access().ifPresent(life::notifyAccess);
        if (message.mainPid().isPresent() || message.mainPidfd()) {
            moveMain(run.get(), sender, message, descriptors);
        }
        message.watchdogMicros().ifPresent(micros -> watchdog.replace(new TimeSpan(micros)));
        message.watchdog().ifPresent(this::watchdog);
        if (message.extendTimeoutMicros().isPresent()) {
            extendTimeout(new TimeSpan(message.extendTimeoutMicros().getAsLong()));
        }
        store(message.store(), descriptors);
        if (!message.unsupported().isEmpty()) {
            unsupported(
                    "notify message of " + sender + ": not supported: " + message.unsupported());
        }
        if (message.ready()) {
            start.ready();
        }
        reload.message(message);
        if (message.stopping() && life.is(ServiceState.RUNNING)) {
            stop.announced();
        }
    }

    private void unsupported(String notice) {
        if (notices == null) {
            notices = Complaints.on(life.context().loop(), life::notice);
        }
        notices.log("not supported", notice);
    }

    private void extendTimeout(TimeSpan span) {
        TimeLimit limit = reload.deadline().isSet() ? reload.deadline() : life.deadline;
        long before = limit.at();
        limit.prolong(span);
        if (limit.at() != before) {
            life.changed();
        }
    }

    private void errors(NotifyMessage message) {
        ReportedErrors before = life.reported();
        ReportedErrors now =
                new ReportedErrors(
                        message.errno().orElse(before.errno()),
                        message.busError().orElse(before.bus()),
                        message.varlinkError().orElse(before.varlink()));
        if (!now.equals(before)) {
            life.reported(now);
        }
    }

    private void refuse(String kind, NotifySender sender, String why) {
        life.context().counters().messageRefused();
        life.complaints().log(kind, "notify message of " + sender + " " + why);
    }

    private void store(NotifyMessage.Store store, List<Fd> descriptors) {
        if (store.remove()) {
            life.store().remove(store.name());
        } else if (store.add() && life.context().closer().isFull(life.name().text())) {
            life.complaints()
                    .log(
                            "slow",
                            "the descriptor %s is not kept: %d that were kept before are slow to be closed, which is the limit"
                                    .formatted(store.name(), FdCloser.MAX_WAITING));
        } else if (store.add()) {
            int most = life.unit().service().store().most();
            descriptors.stream()
                    .filter(Fd::isOpen)
                    .forEach(fd -> life.store().add(store.name(), fd, store.watched(), most));
        }
    }

    private String access() {
        NotifyAccess access = life.notifyAccess();
        return "NotifyAccess=" + access.name().toLowerCase(Locale.ROOT);
    }

    private boolean mayNotify(UnitRun run, PidFd sender) {
        return switch (life.notifyAccess()) {
            case NotifyAccess.NONE -> false;
            case NotifyAccess.MAIN -> run.isMain(sender);
            case NotifyAccess.EXEC -> run.isMain(sender) || run.isControl(sender);
            case NotifyAccess.ALL -> true;
        };
    }

    private void watchdog(NotifyMessage.Watchdog message) {
        switch (message) {
            case PING -> watchdog.feed();
            case TRIGGER -> watchdog.triggered();
        }
    }

    /**
     * Handles MAINPID=: the process must belong to the unit, and must be held reliably by a pidfd.
     */
    private void moveMain(
            UnitRun run, NotifySender sender, NotifyMessage message, List<Fd> descriptors) {
        try (PidFd process = open(message, descriptors)) {
            if (run.isMain(process)) {
                return;
            }
            if (!run.contains(process) || run.isControl(process)) {
                life.complaints()
                        .log(
                                "main process",
                                "MAINPID of "
                                        + sender
                                        + " refused: the process is not of this unit");
                return;
            }
            run.replaceMain(process.duplicate());
            life.mainStarted();
            life.info("its main process is now " + process);
        } catch (ErrnoException | IllegalArgumentException | UnsupportedOperationException e) {
            life.complaints()
                    .log("main process", "MAINPID of " + sender + " refused: " + e.getMessage());
        }
    }

    private static PidFd open(NotifyMessage message, List<Fd> descriptors) {
        if (message.mainPidfd()) {
            if (descriptors.size() != 1) {
                throw new IllegalArgumentException(
                        "MAINPIDFD with " + descriptors.size() + " descriptors");
            }
            return PidFd.adopt(descriptors.getFirst());
        }
        int pid = message.mainPid().getAsInt();
        return message.mainPidfdId().isPresent()
                ? PidFd.open(pid, message.mainPidfdId().getAsLong())
                : PidFd.open(pid);
    }
}
