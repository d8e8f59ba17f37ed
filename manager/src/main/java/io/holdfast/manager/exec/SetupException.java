package io.holdfast.manager.exec;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Isolation;
import java.util.Optional;

/** The execution of a command could not be set up as its unit wants it. */
public final class SetupException extends Exception {
    private static final long serialVersionUID = 1L;

    /** A step of the setup, with the exit status that systemd.exec(5) assigns to it. */
    public enum Step {
        CHDIR(200),
        FDS(202),
        EXEC(203),
        STDIN(208),
        STDOUT(209),
        SECUREBITS(213),
        GROUP(216),
        USER(217),
        CAPABILITIES(218),
        CGROUP(219),
        STDERR(222),
        PAM(224),
        NETWORK(225),
        NAMESPACE(226),
        NO_NEW_PRIVILEGES(227),
        SECCOMP(228),
        RUNTIME_DIRECTORY(233),
        KEYRING(237),
        STATE_DIRECTORY(238),
        CACHE_DIRECTORY(239),
        LOGS_DIRECTORY(240),
        CONFIGURATION_DIRECTORY(241),
        CREDENTIALS(243),
        /** A step before there is a process, and so without an exit status. */
        RESOURCES(0);

        private final int status;

        Step(int status) {
            this.status = status;
        }

        /**
         * {@return the exit status of a process that fails in this step; 0 for {@link #RESOURCES}}
         */
        public int status() {
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
     * Returns how systemd's child process would have exited after this failure: systemd does in the
     * child what is done here before there is a child. Empty for steps that systemd does without a
     * child, too.
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
