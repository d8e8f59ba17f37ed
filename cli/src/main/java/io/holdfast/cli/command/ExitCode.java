package io.holdfast.cli.command;

/**
 * The exit codes of the command. {@code run} and {@code watch} exit with the exit code of the
 * process, except for 125 to 127 and 141.
 */
public final class ExitCode {
    public static final int OK = 0;

    /** The command failed. */
    public static final int FAILURE = 1;

    /** The command line is not valid. */
    public static final int USAGE = 2;

    /**
     * {@code run} and {@code watch}: holdfast itself failed, or the exit status of the process is
     * not known.
     */
    public static final int HOLDFAST_FAILED = 125;

    /** {@code run}: the program exists, but cannot be executed. */
    public static final int NOT_EXECUTABLE = 126;

    /** {@code run}: the program does not exist. */
    public static final int NOT_FOUND = 127;

    /**
     * The output pipe is closed. This is the status of a program that SIGPIPE killed, and like it
     * the command prints no error.
     */
    public static final int OUTPUT_CLOSED = 128 + 13;

    /**
     * {@code up} as PID 1 of a container: the container is to be started again, and reboot(2) is
     * not permitted in it. The same status as for systemd-nspawn(1).
     */
    public static final int REBOOT = 133;

    private ExitCode() {}
}
