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
                    "threads that spawn and use files and cgroups, while none of them waits long in the kernel");

    static final Limit WORKER_THREADS =
            Limit.count(
                    "io.holdfast.manager.workerThreads",
                    256,
                    "worker threads, those included that wait in the kernel");

    static final Limit LANE =
            Limit.count(
                    "io.holdfast.manager.lane",
                    1024,
                    "tasks of one unit, or messages to it, that wait for a worker thread");

    public static final Limit LOAD_PATIENCE =
            Limit.time(
                    "io.holdfast.manager.loadPatience",
                    Duration.ofSeconds(90),
                    "time that loading units may take");

    public static final Limit CRASH_PAUSE =
            Limit.time(
                    "io.holdfast.manager.crashPause",
                    Duration.ofSeconds(1),
                    "time that a manager waits before it adopts units, for each manager in a row before it that died within ten seconds, beyond three");

    public static final Limit KEEPER_REAP =
            Limit.time(
                    "io.holdfast.manager.keeperReap",
                    Duration.ofSeconds(30),
                    "time between two requests of a manager that adopted units to its keeper, to reap the orphans that come to it");

    public static final Limit SOCKET_PATIENCE =
            Limit.time(
                    "io.holdfast.manager.socketPatience",
                    Duration.ofSeconds(90),
                    "time that a socket unit may take to listen or to clean up, where its file sets none");

    public static final Limit QUESTION_PATIENCE =
            Limit.time(
                    "io.holdfast.manager.questionPatience",
                    Duration.ofSeconds(25),
                    "time that an answer to a client may take");

    public static final Limit READERS =
            Limit.count(
                    "io.holdfast.manager.readers",
                    2,
                    "threads that read files and processes for clients");

    public static final Limit NOTIFY_BATCH =
            Limit.count(
                    "io.holdfast.manager.notifyBatch",
                    64,
                    "notify messages that are received in one turn of the event loop");

    public static final Limit EARLY_MESSAGES =
            Limit.count(
                    "io.holdfast.manager.earlyMessages",
                    256,
                    "notify messages, and descriptors beside them, that wait until a spawn is over");

    public static final Limit LISTED_PROCESSES =
            Limit.count(
                    "io.holdfast.manager.listedProcesses",
                    4096,
                    "processes of one unit that are listed");

    public static final Limit LOG_LINES =
            Limit.count(
                    "io.holdfast.manager.logLines",
                    200,
                    "lines of output that are kept of each unit");

    public static final Limit LOGS =
            Limit.count(
                    "io.holdfast.manager.logs",
                    32,
                    "units that are not loaded any more, and whose last lines are kept");

    public static final Limit LOG_CHARACTERS =
            Limit.count(
                    "io.holdfast.manager.logCharacters",
                    64 * 1024,
                    "characters of output that are kept of each unit");

    public static final Limit LOG_BATCH =
            Limit.count(
                    "io.holdfast.manager.logBatch",
                    64 * 1024,
                    "bytes of output of one unit that are read in one turn of the event loop");

    public static final Limit LOG_WINDOW =
            Limit.bytes(
                    "io.holdfast.manager.logWindow",
                    64 * 1024,
                    "output of each unit that is kept for a manager after this one, and up to as much again");

    public static final Limit ANCESTORS =
            Limit.count(
                    "io.holdfast.manager.ancestors",
                    64,
                    "ancestors of a process that are looked at for its unit");

    public static final Limit STRAYS =
            Limit.count(
                    "io.holdfast.manager.strays",
                    1024,
                    "orphans of no unit that are held until they end");

    public static final Limit STRAY_LINES =
            Limit.count(
                    "io.holdfast.manager.strayLines",
                    20,
                    "lines about such orphans in one lineInterval");

    public static final Limit STRAY_PATIENCE =
            Limit.time(
                    "io.holdfast.manager.strayPatience",
                    Duration.ofSeconds(10),
                    "time that such orphans may take to end with the manager before they are killed");

    public static final Limit FAILED_INSTANCES =
            Limit.count(
                    "io.holdfast.manager.failedInstances",
                    64,
                    "failed instances of one accepting socket that are kept");

    public static final Limit UPHOLD_DELAY =
            Limit.time(
                    "io.holdfast.manager.upholdDelay",
                    Duration.ofMillis(100),
                    "time after its end at which a unit is started again that others uphold");

    public static final Limit LINE_INTERVAL =
            Limit.time(
                    "io.holdfast.manager.lineInterval",
                    Duration.ofSeconds(10),
                    "time in which one line of a kind is logged that a service or user can cause");

    public static final Limit LINE_SOURCES =
            Limit.count(
                    "io.holdfast.manager.lineSources",
                    64,
                    "kinds of such lines that are told apart in that time");

    public static final Limit REFUSAL_LINES =
            Limit.count(
                    "io.holdfast.manager.refusalLines",
                    20,
                    "lines about refused requests in one lineInterval");

    public static final Limit KILL_PATIENCE =
            Limit.time(
                    "io.holdfast.manager.killPatience",
                    Duration.ofSeconds(10),
                    "time that killed processes may take to be gone");

    public static final Limit LEFTOVERS =
            Limit.count(
                    "io.holdfast.manager.leftovers",
                    100_000,
                    "files of a temporary folder that are looked at for leftovers when the manager starts");

    public static final Limit REFERENCES =
            Limit.count(
                    "io.holdfast.manager.references",
                    4096,
                    "units that one client of the bus holds by Ref");

    public static final Limit ASKING =
            Limit.count("io.holdfast.manager.asking", 128, "requests that wait for the authority");

    public static final Limit ASKING_PATIENCE =
            Limit.time(
                    "io.holdfast.manager.askingPatience",
                    Duration.ofMinutes(2),
                    "time that the authority may take to answer, in which it may ask the user");

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
                    "processes that a scope adopts when it is made");

    public static final Limit DESCRIPTION_CHARACTERS =
            Limit.count(
                    "io.holdfast.manager.descriptionCharacters",
                    64 * 1024,
                    "characters of the file of a unit that is made over D-Bus");

    private ManagerLimits() {}

    /** {@return all limits} */
    public static List<Limit> all() {
        return List.of(
                UNITS,
                WORKERS,
                WORKER_THREADS,
                LANE,
                LOAD_PATIENCE,
                CRASH_PAUSE,
                KEEPER_REAP,
                SOCKET_PATIENCE,
                QUESTION_PATIENCE,
                READERS,
                NOTIFY_BATCH,
                EARLY_MESSAGES,
                LISTED_PROCESSES,
                LOG_LINES,
                LOGS,
                LOG_CHARACTERS,
                LOG_BATCH,
                LOG_WINDOW,
                ANCESTORS,
                STRAYS,
                STRAY_LINES,
                STRAY_PATIENCE,
                FAILED_INSTANCES,
                UPHOLD_DELAY,
                LINE_INTERVAL,
                LINE_SOURCES,
                REFUSAL_LINES,
                KILL_PATIENCE,
                LEFTOVERS,
                REFERENCES,
                ASKING,
                ASKING_PATIENCE,
                PRIVATE_PEERS,
                PATTERNS,
                PATTERN_CHARACTERS,
                SCOPE_PROCESSES,
                DESCRIPTION_CHARACTERS);
    }
}
