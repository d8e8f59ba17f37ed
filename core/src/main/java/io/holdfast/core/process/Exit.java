package io.holdfast.core.process;

import io.holdfast.core.Signal;

/** How a process ended. */
public sealed interface Exit {
    /**
     * The process called {@code exit}.
     *
     * @param status 0 to 255
     */
    record Exited(int status) implements Exit {
        @Override
        public String toString() {
            return "exited with status " + status;
        }
    }

    /**
     * A signal killed the process.
     *
     * @param signal the signal that killed it
     * @param dumped whether it left a core dump
     */
    record Killed(Signal signal, boolean dumped) implements Exit {
        @Override
        public String toString() {
            return "killed by " + signal + (dumped ? " (core dumped)" : "");
        }
    }

    /**
     * The process has ended, and its status is not available: it was not a child of this process,
     * and the kernel is older than Linux 6.15, or its parent has not reaped it yet, or it is in
     * another PID namespace.
     */
    record Unknown() implements Exit {
        @Override
        public String toString() {
            return "exited, status unknown";
        }
    }

    /** {@return whether it exited with status 0} */
    default boolean isSuccess() {
        return this instanceof Exited(int status) && status == 0;
    }

    /**
     * {@return the status as a shell reports it: 0 to 255, or 128 plus the signal}
     *
     * @throws IllegalStateException if the status is unknown
     */
    default int shellStatus() {
        return switch (this) {
            case Exited(int status) -> status;
            case Killed(Signal signal, _) -> 128 + signal.number();
            case Unknown _ -> throw new IllegalStateException("the exit status is not known");
        };
    }

    /**
     * Decodes a wait status, as {@code wait(2)} and PIDFD_GET_INFO return it.
     *
     * @param status the wait status
     * @return how the process ended
     */
    static Exit ofWaitStatus(int status) {
        int signal = status & 0x7F;
        return signal == 0
                ? new Exited(status >> 8 & 0xFF)
                : new Killed(new Signal(signal), (status & 0x80) != 0);
    }
}
