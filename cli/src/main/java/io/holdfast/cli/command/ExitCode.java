package io.holdfast.cli.command;

/**
 * What the command's exit codes mean. Those of {@code run} and {@code watch} are the process's own,
 * but for 125 to 127 and 141.
 */
public final class ExitCode {
    public static final int OK = 0;

    /** It was understood, and it did not work. */
    public static final int FAILURE = 1;

    /** It was not understood. */
    public static final int USAGE = 2;

    /** {@code run} and {@code watch}: it is holdfast that failed, or the status is not known. */
    public static final int NOT_THE_PROCESS = 125;

    /** {@code run}: the program is there and cannot be executed. */
    public static final int NOT_EXECUTABLE = 126;

    /** {@code run}: there is no such program. */
    public static final int NOT_FOUND = 127;

    /** Nobody reads what is written: as of a program that SIGPIPE has ended, and as silent. */
    public static final int UNREAD = 128 + 13;

    /**
     * {@code up} as PID 1 of a container: it is to be started again, and reboot(2) is not permitted
     * there. As of systemd-nspawn(1).
     */
    public static final int REBOOT = 133;

    private ExitCode() {}
}
