package io.holdfast.cli.command;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Feature;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.core.process.ProcessInfo;
import java.util.OptionalInt;
import picocli.CommandLine.ParseResult;

/**
 * A process on the command line: {@code PID}, the process that has this PID now; {@code PID:ID}, as
 * util-linux writes it, unique in this boot; or {@code PID:ID:BOOT}, unique in all boots. The
 * process is held by pidfd from here on.
 */
public final class ProcessArgument {
    /** The parameter label in the help. */
    public static final String LABEL = "PID";

    /** The parameter description for each command that takes a process. */
    public static final String DESCRIPTION =
            "A PID, or the unique process identity PID:ID or PID:ID:BOOT that holdfast info"
                    + " prints.";

    private ProcessArgument() {}

    /**
     * Opens a pidfd of the process; the caller closes it.
     *
     * @throws CommandException if there is no such process
     */
    public static PidFd open(String text, ParseResult line) {
        return text.indexOf(':') < 0 ? open(number(text, line)) : restore(text, line);
    }

    /** Opens a pidfd of a single thread, identified by TID; the caller closes it. */
    public static PidFd openThread(String text, ParseResult line) {
        int tid = number(text, line);
        try {
            return PidFd.openThread(tid);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESRCH) {
                throw new CommandException("no thread with TID " + tid, e);
            }
            throw e;
        }
    }

    private static int number(String text, ParseResult line) {
        try {
            int number = Integer.parseInt(text);
            if (number > 0) {
                return number;
            }
        } catch (NumberFormatException _) {
            // reported below
        }
        throw Command.misuse(
                line, "not a process: '" + text + "'; expected PID, PID:ID or PID:ID:BOOT");
    }

    private static PidFd open(int pid) {
        try {
            return PidFd.open(pid);
        } catch (ErrnoException e) {
            if (e.errno() == Errno.ESRCH) {
                throw new CommandException(whyNot(pid), e);
            }
            throw e;
        }
    }

    private static String whyNot(int pid) {
        if (Feature.PIDFD_THREAD.isPresent()) {
            try (PidFd thread = PidFd.openThread(pid)) {
                ProcessInfo info = thread.info();
                OptionalInt process = info.tgid();
                if (process.isPresent()) {
                    return pid
                            + " is a thread of process "
                            + process.getAsInt()
                            + ", not a process";
                }
            } catch (ErrnoException _) {
                // not a thread either
            }
        }
        return "no process with PID " + pid;
    }

    private static PidFd restore(String text, ParseResult line) {
        ProcessId name;
        try {
            name = ProcessId.parse(text);
        } catch (IllegalArgumentException e) {
            throw Command.misuse(
                    line, "not a process: '" + text + "'; expected PID, PID:ID or PID:ID:BOOT");
        }
        try {
            return PidFd.restore(name);
        } catch (ErrnoException e) {
            throw switch (e.errno()) {
                case Errno.ESRCH -> new CommandException("process " + text + " is gone", e);
                case Errno.ESTALE ->
                        new CommandException("process " + text + " belongs to another boot", e);
                default -> e;
            };
        }
    }
}
