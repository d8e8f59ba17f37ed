package io.holdfast.bus;

import io.holdfast.bus.config.BusConfig;
import io.holdfast.bus.connection.RefusalLog;
import io.holdfast.bus.policy.ConfiguredAccounts;
import io.holdfast.core.machine.Accounts;
import io.holdfast.core.machine.Accounts.UnknownAccountException;
import java.util.ArrayList;
import java.util.List;

/**
 * Compares what a configuration requests for the bus process with what this bus does. The process
 * stays as it was started: with its user, in the foreground and with its standard error; and it
 * starts services itself. Each element that is not applied is logged once, so that the
 * administrator does not rely on it.
 */
final class ProcessSettings {
    private final long owner;
    private List<String> logged = List.of();

    /**
     * @param owner the uid that the bus runs as
     */
    ProcessSettings(long owner) {
        this.owner = owner;
    }

    /**
     * Returns one line for each element that this bus does not apply. Looks users up, and may
     * block. Any thread may call it.
     */
    List<String> unserved(BusConfig config) {
        List<String> lines = new ArrayList<>();
        String user = config.user();
        if (user != null && !isOwner(user)) {
            lines.add("<user>%s</user>: the bus keeps running as user %d".formatted(user, owner));
        }
        if (config.fork()) {
            lines.add("<fork/>: the bus stays in the foreground");
        }
        if (config.pidFile() != null) {
            lines.add(
                    "<pidfile>%s</pidfile>: the bus writes no PID file"
                            .formatted(config.pidFile()));
        }
        if (config.syslog()) {
            lines.add("<syslog/>: the bus logs to standard error only");
        }
        if (config.serviceHelper() != null) {
            lines.add(
                    "<servicehelper>%s</servicehelper>: the bus starts services itself%s"
                            .formatted(
                                    config.serviceHelper(),
                                    owner == 0 ? "" : ", and only those of its own user"));
        }
        return lines;
    }

    private boolean isOwner(String user) {
        try {
            return new ConfiguredAccounts(Accounts.SYSTEM).uid(user) == owner;
        } catch (UnknownAccountException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while looking up users", e);
        }
    }

    /** Logs the lines that were not logged for the previous configuration. */
    void logNew(List<String> lines, RefusalLog log) {
        lines.stream().filter(line -> !logged.contains(line)).forEach(log::unserved);
        logged = lines;
    }
}
