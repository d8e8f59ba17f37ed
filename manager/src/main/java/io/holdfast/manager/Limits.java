package io.holdfast.manager;

import java.time.Duration;

/** What bounds the manager. Each is a system property {@code io.holdfast.manager.NAME}. */
final class Limits {
    /** Units that may be loaded at once ({@code units}). */
    static final int UNITS = number("units", 4096);

    /**
     * Threads at once for what may block, spawning, files, cgroups, while none of it waits long in
     * the kernel ({@code workers}).
     */
    static final int WORKERS = number("workers", 4);

    /**
     * Threads in all, with those that wait in the kernel: a unit has at most two of them ({@code
     * workerThreads}).
     */
    static final int WORKER_THREADS = number("workerThreads", 256);

    /** Things that wait to be done for one unit, or to be told of it ({@code lane}). */
    static final int LANE = number("lane", 1024);

    /** How long units are loaded before the request fails ({@code loadPatience}, milliseconds). */
    static final Duration LOAD_PATIENCE = Duration.ofMillis(number("loadPatience", 90_000));

    /**
     * How long a socket may take to listen, or to clean up ({@code socketPatience}, milliseconds).
     */
    static final Duration SOCKET_PATIENCE = Duration.ofMillis(number("socketPatience", 90_000));

    /** How long an answer to a question may take ({@code questionPatience}, milliseconds). */
    static final Duration QUESTION_PATIENCE = Duration.ofMillis(number("questionPatience", 25_000));

    /** Threads for what faces are asked: files, processes ({@code readers}). */
    static final int READERS = number("readers", 2);

    /** Notify messages that are taken in one turn of the loop ({@code notifyBatch}). */
    static final int NOTIFY_BATCH = number("notifyBatch", 64);

    /** Notify messages that wait for their sender's spawn to be over ({@code earlyMessages}). */
    static final int EARLY_MESSAGES = number("earlyMessages", 256);

    /** Lines of output that are kept of each unit ({@code logLines}). */
    static final int LOG_LINES = number("logLines", 200);

    /**
     * Characters of output that are kept of each unit, for lines may be long ({@code
     * logCharacters}).
     */
    static final int LOG_CHARACTERS = number("logCharacters", 64 * 1024);

    /** Bytes of output of one unit that are taken in one turn of the loop ({@code logBatch}). */
    static final int LOG_BATCH = number("logBatch", 64 * 1024);

    /** How far up a process's ancestors are looked at for its unit ({@code ancestors}). */
    static final int ANCESTORS = number("ancestors", 64);

    /** Orphans of no unit that are held until they end ({@code strays}). */
    static final int STRAYS = number("strays", 1024);

    /** Of these, who are told of one by one in each {@link #LINE_INTERVAL} ({@code strayLines}). */
    static final int STRAY_LINES = number("strayLines", 20);

    /**
     * How long they may take to end with the manager before they are killed ({@code strayPatience},
     * milliseconds).
     */
    static final Duration STRAY_PATIENCE = Duration.ofMillis(number("strayPatience", 10_000));

    /**
     * Failed instances of accepting sockets that stay to be looked at ({@code failedInstances}).
     */
    static final int FAILED_INSTANCES = number("failedInstances", 64);

    /** How long after its end an upheld unit is started again ({@code upholdDelay}, ms). */
    static final Duration UPHOLD_DELAY = Duration.ofMillis(number("upholdDelay", 100));

    /**
     * How long a kind of line that others can cause is not said again ({@code lineInterval},
     * milliseconds).
     */
    static final Duration LINE_INTERVAL = Duration.ofMillis(number("lineInterval", 10_000));

    /** Refusals that are told of one by one in each such interval ({@code refusalLines}). */
    static final int REFUSAL_LINES = number("refusalLines", 20);

    /** How long killed processes may take to be gone ({@code killPatience}, milliseconds). */
    static final Duration KILL_PATIENCE = Duration.ofMillis(number("killPatience", 10_000));

    /**
     * Folders in a temporary folder of all users that are looked at as leftovers at the start
     * ({@code leftovers}).
     */
    static final int LEFTOVERS = number("leftovers", 100_000);

    private Limits() {}

    private static int number(String name, int otherwise) {
        return Integer.getInteger("io.holdfast.manager." + name, otherwise);
    }
}
