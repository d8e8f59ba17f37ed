package io.holdfast.manager.exec;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Isolation;
import java.util.Optional;

/** The surroundings of a service could not be made as its unit wants them: what, and why. */
public final class SetupException extends Exception {
    private static final long serialVersionUID = 1L;

    /** What was to be set up, by the names that systemd.exec(5) gives to exit statuses. */
    public enum Step {
        CHDIR(200),
        EXEC(203),
        STDIN(208),
        STDOUT(209),
        GROUP(216),
        USER(217),
        CAPABILITIES(218),
        CGROUP(219),
        STDERR(222),
        NAMESPACE(226),
        RUNTIME_DIRECTORY(233),
        STATE_DIRECTORY(238),
        CACHE_DIRECTORY(239),
        LOGS_DIRECTORY(240),
        CONFIGURATION_DIRECTORY(241),
        /** Before there would be a process, and so without a status. */
        RESOURCES(0);

        private final int status;

        Step(int status) {
            this.status = status;
        }

        /** With which a process would exit that fails at this; 0 for {@link #RESOURCES}. */
        int status() {
            return status;
        }
    }

    private final Step step;

    public SetupException(Step step, String message) {
        super(message);
        this.step = step;
    }

    public SetupException(Step step, Exception cause) {
        super(String.valueOf(cause.getMessage()), cause);
        this.step = step;
    }

    Step step() {
        return step;
    }

    /**
     * How systemd's process would have ended that fails so on its way to the program: what it does
     * in the child is done before there is one here. Empty for what systemd does without a process,
     * too.
     */
    public static Optional<Exit> exitOf(Exception failure) {
        Step step =
                switch (failure) {
                    case SetupException setup -> setup.step;
                    case Isolation.FailedException _ -> Step.NAMESPACE;
                    case ErrnoException _ -> Step.EXEC;
                    default -> Step.RESOURCES;
                };
        return step.status == 0 ? Optional.empty() : Optional.of(new Exit.Exited(step.status));
    }
}
