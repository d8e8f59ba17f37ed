package io.holdfast.manager.unit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The scope of a manager, the system or one user, and the folders that follow from it.
 *
 * @param user whether it is a user's manager
 * @param runtimeDirectory {@code %t}
 * @param stateDirectory {@code %S}
 * @param cacheDirectory {@code %C}
 * @param logsDirectory {@code %L}
 * @param configurationDirectory {@code %E}
 * @param sharedDataDirectory {@code %D}
 * @param account the user who runs the manager
 * @param temporaryDirectory {@code %T}
 * @param largeTemporaryDirectory {@code %V}
 * @param variables that every unit has in its environment, beside the usual ones
 * @param umask of units that have no {@code UMask=}
 */
public record ManagerScope(
        boolean user,
        String runtimeDirectory,
        String stateDirectory,
        String cacheDirectory,
        String logsDirectory,
        String configurationDirectory,
        String sharedDataDirectory,
        Account account,
        String temporaryDirectory,
        String largeTemporaryDirectory,
        Map<String, String> variables,
        int umask) {
    /**
     * The umask of the system manager's services, regardless of the one that the manager inherited.
     */
    public static final int SYSTEM_UMASK = 0022;

    /** The version of systemd that the manager follows. */
    public static final String SYSTEMD_VERSION = "257";

    private static final String BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";

    /** The locale of services where the system has none. */
    private static final String DEFAULT_LOCALE = "C.UTF-8";

    /** Variables that are meant for the user's manager itself, and that no service inherits. */
    private static final Set<String> OWN =
            Set.of(
                    "NOTIFY_SOCKET",
                    "LISTEN_FDS",
                    "LISTEN_PID",
                    "LISTEN_PIDFDID",
                    "LISTEN_FDNAMES",
                    "MAINPID",
                    "MANAGERPID",
                    "INVOCATION_ID",
                    "JOURNAL_STREAM",
                    "MEMORY_PRESSURE_WATCH",
                    "MEMORY_PRESSURE_WRITE",
                    "SYSTEMD_EXEC_PID",
                    "WATCHDOG_PID",
                    "WATCHDOG_USEC",
                    "RUNTIME_DIRECTORY",
                    "STATE_DIRECTORY",
                    "CACHE_DIRECTORY",
                    "LOGS_DIRECTORY",
                    "CONFIGURATION_DIRECTORY",
                    "CREDENTIALS_DIRECTORY",
                    "HOLDFAST_KEEPER",
                    "HOLDFAST_HANGUP_IGNORED",
                    "HOLDFAST_STOP_REQUESTED",
                    "HOLDFAST_AS_BUILT");

    public ManagerScope {
        variables = Map.copyOf(variables);
    }

    /** An entry of the user database. */
    public record Account(
            String name, long uid, String group, long gid, String home, String shell) {
        /** Root as it is on every machine; the user database is not read. */
        public static final Account ROOT = new Account("root", 0, "root", 0, "/root", rootShell());

        /** Returns root's shell, regardless of the user database. */
        private static String rootShell() {
            return Files.isExecutable(Path.of("/bin/bash")) ? "/bin/bash" : "/bin/sh";
        }
    }

    /** Creates the scope of the system's manager, which root runs. */
    public static ManagerScope system(Map<String, String> environment) {
        return new ManagerScope(
                false,
                "/run",
                "/var/lib",
                "/var/cache",
                "/var/log",
                "/etc",
                "/usr/share",
                Account.ROOT,
                temporary(environment, "/tmp"),
                temporary(environment, "/var/tmp"),
                Map.of(),
                SYSTEM_UMASK);
    }

    /** Creates the scope of a manager of our own user, with the XDG base directories. */
    public static ManagerScope user(Map<String, String> environment) {
        Account account = ownAccount();
        String home = environment.getOrDefault("HOME", account.home());
        String state = environment.getOrDefault("XDG_STATE_HOME", home + "/.local/state");
        return new ManagerScope(
                true,
                environment.getOrDefault("XDG_RUNTIME_DIR", "/run/user/" + account.uid()),
                state,
                environment.getOrDefault("XDG_CACHE_HOME", home + "/.cache"),
                state + "/log",
                environment.getOrDefault("XDG_CONFIG_HOME", home + "/.config"),
                environment.getOrDefault("XDG_DATA_HOME", home + "/.local/share"),
                new Account(
                        account.name(),
                        account.uid(),
                        account.group(),
                        account.gid(),
                        home,
                        environment.getOrDefault("SHELL", account.shell())),
                temporary(environment, "/tmp"),
                temporary(environment, "/var/tmp"),
                Map.of(),
                SYSTEM_UMASK);
    }

    /**
     * Returns the variables that the manager passes to all its units, in a new map. A user's
     * manager passes on those that it has received; the system's passes on the locale only.
     *
     * @param received the environment of the manager's own process
     */
    public Map<String, String> environment(Map<String, String> received) {
        Map<String, String> all = new LinkedHashMap<>();
        if (user) {
            all.putAll(received);
            all.keySet().removeAll(OWN);
            all.putIfAbsent("PATH", BASE_PATH);
        } else {
            all.put("PATH", BASE_PATH);
            all.put("LANG", DEFAULT_LOCALE);
            received.forEach((name, value) -> {
                if (name.equals("LANG") || name.equals("LANGUAGE") || name.startsWith("LC_")) {
                    all.put(name, value);
                }
            });
        }
        all.putAll(variables);
        return all;
    }

    /** {@return a copy with more variables} */
    public ManagerScope withVariables(Map<String, String> more) {
        Map<String, String> all = new LinkedHashMap<>(variables);
        all.putAll(more);
        return with(all, umask);
    }

    /**
     * Returns a copy with another umask: a user's manager inherits it from the user's session.
     *
     * @param mask 0 to 0777
     */
    public ManagerScope withUmask(int mask) {
        return with(variables, mask);
    }

    private ManagerScope with(Map<String, String> allVariables, int mask) {
        return new ManagerScope(
                user,
                runtimeDirectory,
                stateDirectory,
                cacheDirectory,
                logsDirectory,
                configurationDirectory,
                sharedDataDirectory,
                account,
                temporaryDirectory,
                largeTemporaryDirectory,
                allVariables,
                mask);
    }

    private static String temporary(Map<String, String> environment, String otherwise) {
        for (String name : new String[] {"TMPDIR", "TEMP", "TMP"}) {
            String value = environment.getOrDefault(name, "");
            if (value.startsWith("/")) {
                return value;
            }
        }
        return otherwise;
    }

    /**
     * Returns our account from the files of the user database, or only its ids if it is not in
     * them.
     */
    private static Account ownAccount() {
        long uid = ownNumber("unix:uid");
        long gid = ownNumber("unix:gid");
        String[] user = line("/etc/passwd", uid);
        String[] group = line("/etc/group", gid);
        return new Account(
                user.length > 6 ? user[0] : String.valueOf(uid),
                uid,
                group.length > 2 ? group[0] : String.valueOf(gid),
                gid,
                user.length > 6 ? user[5] : "/",
                user.length > 6 && !user[6].isEmpty() ? user[6] : "/bin/sh");
    }

    private static long ownNumber(String attribute) {
        try {
            Object value = Files.getAttribute(Path.of("/proc/self"), attribute);
            return Integer.toUnsignedLong((Integer) value);
        } catch (IOException e) {
            return 65534; // nobody, because /proc is not mounted
        }
    }

    private static String[] line(String database, long id) {
        return SmallFile.read(Path.of(database))
                .lines()
                .map(line -> line.split(":", -1))
                .filter(fields -> fields.length > 2 && fields[2].equals(String.valueOf(id)))
                .findFirst()
                .orElse(new String[0]);
    }
}
