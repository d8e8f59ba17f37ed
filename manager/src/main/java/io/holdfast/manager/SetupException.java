package io.holdfast.manager;

/** The surroundings of a service could not be made as its unit wants them: what, and why. */
final class SetupException extends Exception {
    private static final long serialVersionUID = 1L;

    /** What was to be set up, by the names that systemd.exec(5) gives to exit statuses. */
    enum Step {
        CHDIR(200),
        STDIN(208),
        STDOUT(209),
        GROUP(216),
        USER(217),
        CAPABILITIES(218),
        STDERR(222),
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

    SetupException(Step step, String message) {
        super(message);
        this.step = step;
    }

    SetupException(Step step, Exception cause) {
        super(String.valueOf(cause.getMessage()), cause);
        this.step = step;
    }

    Step step() {
        return step;
    }
}
