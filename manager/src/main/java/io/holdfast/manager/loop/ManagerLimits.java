package io.holdfast.manager.loop;

import io.holdfast.core.limit.Limit;
import java.time.Duration;
import java.util.List;

/** The limits of a manager, each a system property {@code io.holdfast.manager.NAME}. */
public final class ManagerLimits {
    public static final Limit UNITS =
            Limit.count("io.holdfast.manager.units", 4096, "units that are loaded");

    public static final Limit WORKERS =
            Limit.count(
                    "io.holdfast.manager.workers",
                    4,
                    "worker threads in use at once, not counting those that are blocked in the kernel");

    public static final Limit SYSTEM_CALL_FILTERS =
            Limit.count(
                    "io.holdfast.manager.systemCallFilters",
                    256,
                    "compiled filters of system calls that are kept; others are compiled at each start");

    static final Limit WORKER_THREADS =
            Limit.count(
                    "io.holdfast.manager.workerThreads",
                    256,
                    "worker threads, including those that are blocked in the kernel");

    static final Limit LANE =
            Limit.count(
                    "io.holdfast.manager.lane",
                    1024,
                    "tasks and messages of one unit that wait for a worker thread");

    public static final Limit LOAD_TIMEOUT =
            Limit.time(
                    "io.holdfast.manager.loadTimeout",
                    Duration.ofSeconds(90),
                    "time limit for loading units");

    public static final Limit GENERATORS =
            Limit.count(
                    "io.holdfast.manager.generators",
                    256,
                    "generators of each kind that run; further ones are skipped");

    public static final Limit GENERATOR_TIMEOUT =
            Limit.time(
                    "io.holdfast.manager.generatorTimeout",
                    Duration.ofSeconds(90),
                    "time after which the generators of a kind are killed");

    public static final Limit VARIABLES =
            Limit.count(
                    "io.holdfast.manager.variables",
                    1024,
                    "variables that clients have set or removed in the environment of the manager");

    public static final Limit CRASH_PAUSE =
            Limit.time(
                    "io.holdfast.manager.crashPause",
                    Duration.ofSeconds(1),
                    "back-off before a restarted manager adopts units, for each consecutive crash within ten seconds of a start beyond the third");

    public static final Limit KEEPER_REAP =
            Limit.time(
                    "io.holdfast.manager.keeperReap",
                    Duration.ofSeconds(30),
                    "interval in which a manager that adopted units lets its keeper reap orphans");

    public static final Limit SOCKET_TIMEOUT =
            Limit.time(
                    "io.holdfast.manager.socketTimeout",
                    Duration.ofSeconds(90),
                    "time limit for a socket unit to listen or clean up, if its file sets none");

    public static final Limit READ_TIMEOUT =
            Limit.time(
                    "io.holdfast.manager.readTimeout",
                    Duration.ofSeconds(25),
                    "time limit for reading files and processes, such as for a client");

    public static final Limit READERS =
            Limit.count(
                    "io.holdfast.manager.readers",
                    2,
                    "threads that read files and processes for clients");

    public static final Limit NOTIFY_BATCH =
            Limit.count(
                    "io.holdfast.manager.notifyBatch",
                    64,
                    "notify messages received in one turn of the event loop");

    public static final Limit EARLY_MESSAGES =
            Limit.count(
                    "io.holdfast.manager.earlyMessages",
                    256,
                    "notify messages and their descriptors that are queued during a spawn");

    public static final Limit LISTED_PROCESSES =
            Limit.count(
                    "io.holdfast.manager.listedProcesses",
                    4096,
                    "processes of one unit that are listed");

    public static final Limit LOG_LINES =
            Limit.count("io.holdfast.manager.logLines", 200, "lines of output kept for each unit");

    public static final Limit LOGS =
            Limit.count(
                    "io.holdfast.manager.logs",
                    32,
                    "unloaded units whose last lines of output are kept");

    public static final Limit LOG_CHARACTERS =
            Limit.count(
                    "io.holdfast.manager.logCharacters",
                    64 * 1024,
                    "characters of output kept for each unit");

    public static final Limit LOG_MEMORY =
            Limit.bytes(
                    "io.holdfast.manager.logMemory",
                    16 << 20,
                    "memory for the output kept of all units; the noisiest unit loses its oldest lines");

    public static final Limit LOG_BATCH =
            Limit.count(
                    "io.holdfast.manager.logBatch",
                    64 * 1024,
                    "bytes of the output of a unit that one turn of the event loop reads");

    public static final Limit ANCESTORS =
            Limit.count(
                    "io.holdfast.manager.ancestors",
                    64,
                    "ancestors of a process that are searched for its unit");

    public static final Limit UNTRACKED_ORPHANS =
            Limit.count(
                    "io.holdfast.manager.orphans",
                    1024,
                    "orphans that belong to no unit and are held until they exit");

    public static final Limit ORPHAN_LINES =
            Limit.count(
                    "io.holdfast.manager.orphanLines",
                    20,
                    "log lines about orphans that belong to no unit in one lineInterval");

    public static final Limit ORPHAN_TIMEOUT =
            Limit.time(
                    "io.holdfast.manager.orphanTimeout",
                    Duration.ofSeconds(10),
                    "time between SIGTERM and SIGKILL for such orphans when the manager stops");

    public static final Limit FAILED_INSTANCES =
            Limit.count(
                    "io.holdfast.manager.failedInstances",
                    64,
                    "failed instances kept for one socket with Accept=yes");

    public static final Limit CONNECTION_PLACE =
            Limit.time(
                    "io.holdfast.manager.connectionPlace",
                    Duration.ofSeconds(5),
                    "time for which a connection of a plain user counts for MaxConnectionsPerSource= at least");

    public static final Limit UPHOLD_DELAY =
            Limit.time(
                    "io.holdfast.manager.upholdDelay",
                    Duration.ofMillis(100),
                    "delay before a stopped unit is started again because of Upholds=");

    public static final Limit LINE_INTERVAL =
            Limit.time(
                    "io.holdfast.manager.lineInterval",
                    Duration.ofSeconds(10),
                    "interval in which a line that a service or user can cause is logged once");

    public static final Limit LINE_SOURCES =
            Limit.count(
                    "io.holdfast.manager.lineSources",
                    64,
                    "kinds of such lines tracked in one lineInterval");

    public static final Limit REFUSAL_LINES =
            Limit.count(
                    "io.holdfast.manager.refusalLines",
                    20,
                    "log lines about refused requests in one lineInterval");

    public static final Limit KILL_TIMEOUT =
            Limit.time(
                    "io.holdfast.manager.killTimeout",
                    Duration.ofSeconds(10),
                    "time limit for killed processes to exit");

    public static final Limit LEFTOVERS =
            Limit.count(
                    "io.holdfast.manager.leftovers",
                    100_000,
                    "files of a temporary folder examined for leftovers when the manager starts");

    public static final Limit JOB_WAITERS =
            Limit.count(
                    "io.holdfast.manager.jobWaiters",
                    1024,
                    "requests that wait for the end of one job");

    public static final Limit AUTHORIZATIONS =
            Limit.count(
                    "io.holdfast.manager.authorizations", 128, "concurrent authorization checks");

    public static final Limit AUTHORIZATION_TIMEOUT =
            Limit.time(
                    "io.holdfast.manager.authorizationTimeout",
                    Duration.ofMinutes(2),
                    "time limit for an authorization check, including the authentication of a user");

    public static final Limit CREDENTIAL_TIMEOUT =
            Limit.time(
                    "io.holdfast.manager.credentialTimeout",
                    Duration.ofSeconds(30),
                    "time limit for reading and decrypting the credentials of one start");

    public static final Limit CREDENTIAL_FILES =
            Limit.count(
                    "io.holdfast.manager.credentialFiles",
                    4096,
                    "files in the folders from which one start loads credentials");

    public static final Limit PRIVATE_PEERS =
            Limit.count(
                    "io.holdfast.manager.privatePeers", 512, "connections to the private socket");

    public static final Limit PATTERNS =
            Limit.count(
                    "io.holdfast.manager.patterns",
                    256,
                    "patterns, states or names of one call that lists units");

    public static final Limit PATTERN_CHARACTERS =
            Limit.count(
                    "io.holdfast.manager.patternCharacters",
                    2048,
                    "characters of the patterns of one call that lists units");

    public static final Limit SCOPE_PROCESSES =
            Limit.count(
                    "io.holdfast.manager.scopeProcesses",
                    1024,
                    "processes that a scope adopts when it is created");

    public static final Limit DESCRIPTION_CHARACTERS =
            Limit.count(
                    "io.holdfast.manager.descriptionCharacters",
                    64 * 1024,
                    "characters of the unit file of a transient unit created over D-Bus");

    public static final Limit TRANSIENT_UNITS =
            Limit.count(
                    "io.holdfast.manager.transientUnits",
                    16,
                    "transient units that one request over D-Bus creates");

    public static final Limit UNIT_LISTS =
            Limit.count(
                    "io.holdfast.manager.unitLists",
                    4,
                    "lists of all units over Varlink that are under way for one user other than root");

    public static final Limit DUMPS =
            Limit.count(
                    "io.holdfast.manager.dumps",
                    10,
                    "dumps of units for one user other than root in one dumpInterval");

    public static final Limit DUMP_INTERVAL =
            Limit.time(
                    "io.holdfast.manager.dumpInterval",
                    Duration.ofMinutes(10),
                    "interval in which the dumps of units for a user are counted");

    private ManagerLimits() {}

    public static List<Limit> all() {
        return List.of(
                UNITS,
                WORKERS,
                SYSTEM_CALL_FILTERS,
                WORKER_THREADS,
                LANE,
                LOAD_TIMEOUT,
                GENERATORS,
                GENERATOR_TIMEOUT,
                VARIABLES,
                CRASH_PAUSE,
                KEEPER_REAP,
                SOCKET_TIMEOUT,
                READ_TIMEOUT,
                READERS,
                NOTIFY_BATCH,
                EARLY_MESSAGES,
                LISTED_PROCESSES,
                LOG_LINES,
                LOGS,
                LOG_CHARACTERS,
                LOG_MEMORY,
                LOG_BATCH,
                ANCESTORS,
                UNTRACKED_ORPHANS,
                ORPHAN_LINES,
                ORPHAN_TIMEOUT,
                FAILED_INSTANCES,
                CONNECTION_PLACE,
                UPHOLD_DELAY,
                LINE_INTERVAL,
                LINE_SOURCES,
                REFUSAL_LINES,
                KILL_TIMEOUT,
                LEFTOVERS,
                JOB_WAITERS,
                AUTHORIZATIONS,
                AUTHORIZATION_TIMEOUT,
                CREDENTIAL_TIMEOUT,
                CREDENTIAL_FILES,
                PRIVATE_PEERS,
                PATTERNS,
                PATTERN_CHARACTERS,
                SCOPE_PROCESSES,
                DESCRIPTION_CHARACTERS,
                TRANSIENT_UNITS,
                UNIT_LISTS,
                DUMPS,
                DUMP_INTERVAL);
    }
}
