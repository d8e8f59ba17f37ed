package io.holdfast.core.sys.process;

/**
 * How many descriptors the clients of a server may make its process hold. The rest of RLIMIT_NOFILE
 * is the process's own: for its files and children, and for the descriptors beside one message,
 * which are open before they are counted.
 */
public final class DescriptorLimit {
    /** The part that clients do not get, unless that is more than half. */
    public static final int RESERVED = 320;

    /** How the limit is raised, for refusals. */
    public static final String REMEDY =
            "raise RLIMIT_NOFILE of this process (LimitNOFILE= of its unit)";

    private static final int RLIMIT_NOFILE = 7;

    private DescriptorLimit() {}

    /** All clients together, at the soft limit of now. */
    public static long ofClients() {
        long soft = SysResource.limit(RLIMIT_NOFILE)[0];
        long open = soft < 0 ? Long.MAX_VALUE : soft; // RLIM_INFINITY
        return Math.max(open - RESERVED, open / 2);
    }
}
