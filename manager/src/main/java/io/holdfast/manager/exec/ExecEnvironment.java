package io.holdfast.manager.exec;

import io.holdfast.core.machine.Accounts.Account;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import io.holdfast.manager.unit.value.Environment;
import io.holdfast.manager.unit.value.EnvironmentFile;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * Builds the environment of a command. From the weakest to the strongest, the variables come from
 * the manager, the user, this run, the command, {@code PassEnvironment=}, {@code Environment=} and
 * {@code EnvironmentFile=}; {@code UnsetEnvironment=} then removes some.
 *
 * @see <a href="https://www.freedesktop.org/software/systemd/man/systemd.exec.html">systemd.exec,
 *     Environment Variables in Spawned Processes</a>
 */
final class ExecEnvironment {
    static final String WATCHDOG_TIME = "WATCHDOG_USEC";

    /** The command's own PID, by which a library finds out whether it is the first process. */
    static final String EXEC_PID = "SYSTEMD_EXEC_PID";

    private static final String NO_PID = "0"; // until the process exists

    private final ExecutedUnit unit;
    private final ManagerScope scope;
    private final Map<String, String> ours;
    private final ManagerDefaults defaults;

    /**
     * @param received the environment of the manager's process
     * @param defaults of the manager's configuration
     */
    ExecEnvironment(
            ExecutedUnit unit,
            ManagerScope scope,
            Map<String, String> received,
            ManagerDefaults defaults) {
        this.unit = unit;
        this.scope = scope;
        this.ours = defaults.ofManager(received);
        this.defaults = defaults;
    }

    /**
     * Returns the environment of one command; the files are read now, because an earlier command
     * may have written them.
     *
     * @param main whether it is one of {@code ExecStart=}
     * @param run variables of this run and of this command
     * @throws SetupException if a file is missing or cannot be read
     */
    Map<String, String> of(
            boolean main,
            Optional<Account> account,
            Optional<Path> notifySocket,
            Map<String, String> run)
            throws SetupException {
        Map<String, String> variables = base();
        Optional<Boolean> login = unit.settings().environment().login();
        if (login.orElse(account.isPresent())) {
            addUser(account, variables);
        }
        if (UnitTerminal.isOf(unit.settings())) {
            variables.put("TERM", new UnitTerminal(unit.settings().streams().terminal()).type());
        }
        variables.put(EXEC_PID, NO_PID);
        if (unit.mayNotify(main)) {
            notifySocket.ifPresent(path -> variables.put("NOTIFY_SOCKET", path.toString()));
        }
        if (main && unit.hasWatchdog()) {
            variables.put(WATCHDOG_TIME, Long.toString(unit.watchdog().micros()));
        }
        variables.putAll(run);
        Environment wanted = unit.settings().environment();
        for (String name : wanted.passed()) {
            String value = ours.get(name);
            if (value != null) {
                variables.put(name, value);
            }
        }
        variables.putAll(wanted.assignments());
        for (EnvironmentFile file : wanted.files()) {
            try {
                variables.putAll(file.load());
            } catch (IOException e) {
                throw new SetupException(
                        SetupException.Step.RESOURCES,
                        file.place() + ": the environment file " + text(file, e));
            }
        }
        wanted.removeUnset(variables);
        return variables;
    }

    private static String text(EnvironmentFile file, IOException e) {
        return e instanceof NoSuchFileException
                ? file.pattern() + " is missing"
                : "cannot be read: " + e.getMessage();
    }

    private Map<String, String> base() {
        Map<String, String> variables = defaults.ofUnits(scope, ours);
        if (scope.user()) {
            variables.putIfAbsent("MANAGERPID", Long.toString(ProcessHandle.current().pid()));
        } else {
            variables.putIfAbsent("USER", "root");
        }
        return variables;
    }

    /**
     * Sets the variables that a login sets.
     *
     * @param account empty: the manager's own
     */
    private void addUser(Optional<Account> account, Map<String, String> variables) {
        String name = account.map(Account::name).orElse(scope.account().name());
        String home = account.map(Account::home).orElse(scope.account().home());
        String shell = account.map(Account::shell).orElse(scope.account().shell());
        variables.put("USER", name);
        variables.put("LOGNAME", name);
        variables.remove("HOME");
        variables.remove("SHELL");
        if (!home.isEmpty() && !home.equals("/")) {
            variables.put("HOME", home);
        }
        if (!shell.isEmpty() && !shell.endsWith("/nologin")) {
            variables.put("SHELL", shell);
        }
    }
}
