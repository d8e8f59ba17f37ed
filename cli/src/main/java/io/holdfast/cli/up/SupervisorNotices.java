package io.holdfast.cli.up;

import io.holdfast.core.EventLoop;
import io.holdfast.core.socket.Notify;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Sends the notify messages (sd_notify(3)) of a manager to the service manager that started it,
 * such as a systemd that runs {@code holdfast up} as a service. They are sent in order and on a
 * separate thread, because the receiver may be slow to read. Without NOTIFY_SOCKET nothing is sent.
 *
 * <p>The main process of such a service is the keeper, so its unit needs {@code NotifyAccess=all}.
 */
final class SupervisorNotices {
    /** Begins the line of a message with the problems of a start. */
    static final String STATUS = "STATUS=";

    /** Separates two problems, because a status is one line. */
    static final String SEPARATOR = " | ";

    private static final boolean ENABLED = System.getenv("NOTIFY_SOCKET") != null;

    private final ExecutorService sender =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().daemon().name("holdfast-notify").factory());

    private void send(Runnable message) {
        if (ENABLED) {
            sender.execute(message);
        }
    }

    private void send(String message) {
        send(() -> {
            boolean ignored = Notify.send(message);
        });
    }

    /** Reports that the requested units are started, or that a reload is finished. */
    void ready() {
        send("READY=1");
    }

    /** Reports that the start is over, and which units could not be started, each in one line. */
    void ready(List<String> problems) {
        send("READY=1\n" + STATUS + String.join(SEPARATOR, problems));
    }

    void reloading() {
        send(() -> {
            boolean ignored = Notify.reloading();
        });
    }

    void stopping() {
        send("STOPPING=1");
    }

    /**
     * Sends a keep-alive message from the loop twice in each watchdog period, if WATCHDOG_USEC is
     * set for this process.
     */
    void watch(EventLoop loop) {
        String period = System.getenv("WATCHDOG_USEC");
        if (!ENABLED
                || period == null
                || !period.matches("[1-9][0-9]{0,17}")
                || !isWatchdogForUs()) {
            return;
        }
        alive(loop, Duration.of(Long.parseLong(period), ChronoUnit.MICROS).dividedBy(2));
    }

    /** Returns whether WATCHDOG_PID names the main process, which is this process or its keeper. */
    private static boolean isWatchdogForUs() {
        String watchdogPid = System.getenv("WATCHDOG_PID");
        ProcessHandle self = ProcessHandle.current();
        return watchdogPid == null
                || watchdogPid.equals(Long.toString(self.pid()))
                || self.parent()
                        .map(ProcessHandle::pid)
                        .map(String::valueOf)
                        .orElse("")
                        .equals(watchdogPid);
    }

    private void alive(EventLoop loop, Duration pause) {
        send("WATCHDOG=1");
        var ignored = loop.after(pause, () -> alive(loop, pause));
    }
}
