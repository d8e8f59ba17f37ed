package io.holdfast.cli;

/**
 * What the command's exit codes mean; {@code run} and {@code watch} also pass on that of a process.
 */
final class ExitCode {
    static final int OK = 0;

    /** It was understood, and it did not work. */
    static final int FAILURE = 1;

    /** It was not understood. */
    static final int USAGE = 2;

    private ExitCode() {}
}
