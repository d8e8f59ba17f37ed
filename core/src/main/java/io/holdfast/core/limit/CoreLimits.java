package io.holdfast.core.limit;

import java.time.Duration;
import java.util.List;

/** The limits of this module that system properties can change. */
public final class CoreLimits {
    /** The number of threads that spawn children at the same time. */
    public static final Limit SPAWNERS =
            Limit.count("io.holdfast.spawners", 16, "threads that spawn children at a time");

    /** How long a start waits for a free descriptor once its child exists. */
    public static final Limit DESCRIPTOR_TIMEOUT =
            Limit.time(
                    "io.holdfast.descriptorTimeout",
                    Duration.ofSeconds(10),
                    "time that a start waits for a free descriptor once its child exists");

    /** How long getent(1) may take to look up a user or group. */
    public static final Limit ACCOUNT_TIMEOUT =
            Limit.time(
                    "io.holdfast.accountTimeout",
                    Duration.ofSeconds(15),
                    "time that getent(1) may take to look up a user or group");

    /** How long the name of a user or group is cached. */
    public static final Limit ACCOUNT_AGE =
            Limit.time(
                    "io.holdfast.accountAge",
                    Duration.ofSeconds(10),
                    "time that the name of a user or group is cached");

    /** How long to wait for the exit status of a process that is not our child. */
    public static final Limit REAP_GRACE =
            Limit.time(
                    "io.holdfast.reapGrace",
                    Duration.ofSeconds(1),
                    "time that the parent of a process may take to reap it before its exit is"
                            + " reported without a status");

    /** How long the processes of a scope may take to exit after it was killed. */
    public static final Limit SCOPE_TIMEOUT =
            Limit.time(
                    "io.holdfast.scopeTimeout",
                    Duration.ofSeconds(10),
                    "time that the processes of a scope may take to be gone once they are killed");

    /** How long the end of all open scopes may delay the shutdown of the JVM. */
    public static final Limit SCOPE_SHUTDOWN_TIMEOUT =
            Limit.time(
                    "io.holdfast.scopeShutdownTimeout",
                    Duration.ofSeconds(5),
                    "time that the end of the open scopes may delay the shutdown of the JVM; the"
                            + " last second of it is for the kills after the grace");

    /** How long a bind waits for other binds that replace a dead socket file in the same folder. */
    public static final Limit SOCKET_TIMEOUT =
            Limit.time(
                    "io.holdfast.socketTimeout",
                    Duration.ofSeconds(2),
                    "time that a bind waits for others who replace a dead socket file in its"
                            + " folder");

    /** Bytes of standard output that a run keeps. */
    public static final Limit RUN_OUTPUT =
            Limit.bytes(
                    "io.holdfast.runOutput", 16 << 20, "bytes of standard output that a run keeps");

    /** Bytes of standard error that a run keeps. */
    public static final Limit RUN_ERROR =
            Limit.bytes(
                    "io.holdfast.runError", 16 << 20, "bytes of standard error that a run keeps");

    /** The maximum bytes of one line that a reader of lines receives. */
    public static final Limit RUN_LINE =
            Limit.bytes("io.holdfast.runLine", 1 << 20, "bytes of a line that a run hands over");

    private CoreLimits() {}

    /**
     * {@return the advice of a start that has waited for {@link #DESCRIPTOR_TIMEOUT}}
     *
     * @param consequence what has become of the child
     */
    public static String withoutDescriptor(String consequence) {
        return "no descriptor was free for %d ms, so %s; raise RLIMIT_NOFILE, or the time with -D%s"
                .formatted(DESCRIPTOR_TIMEOUT.value(), consequence, DESCRIPTOR_TIMEOUT.property());
    }

    /** {@return all limits of this class} */
    public static List<Limit> all() {
        return List.of(
                SPAWNERS,
                DESCRIPTOR_TIMEOUT,
                ACCOUNT_TIMEOUT,
                ACCOUNT_AGE,
                REAP_GRACE,
                SCOPE_TIMEOUT,
                SCOPE_SHUTDOWN_TIMEOUT,
                SOCKET_TIMEOUT,
                RUN_OUTPUT,
                RUN_ERROR,
                RUN_LINE);
    }
}
