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
    private List<String> told = List.of();

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
            lines.add(
                    "<user>%s</user>: it stays user %d, as it was started".formatted(user, owner));
        }
        if (config.fork()) {
            lines.add("<fork/>: it stays in the foreground");
        }
        if (config.pidFile() != null) {
            lines.add("<pidfile>%s</pidfile>: it writes none".formatted(config.pidFile()));
        }
        if (config.syslog()) {
            lines.add("<syslog/>: it logs to standard error alone");
        }
        if (config.serviceHelper() != null) {
            lines.add(
                    "<servicehelper>%s</servicehelper>: it starts services itself%s"
                            .formatted(
                                    config.serviceHelper(),
                                    owner == 0 ? "" : ", and those of other users not at all"));
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
    void tell(List<String> lines, RefusalLog log) {
        lines.stream().filter(line -> !told.contains(line)).forEach(log::unserved);
        told = lines;
    }
}
