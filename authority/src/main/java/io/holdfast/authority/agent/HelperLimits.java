package io.holdfast.authority.agent;

import java.time.Duration;

/**
 * The limits of a helper for its agent.
 *
 * @param line bytes of the user's name and of the cookie, each
 * @param request time for these two lines
 * @param answer time for each answer of the user, and for the agent to read each line
 * @param dialog time for the whole dialog, including the waits of PAM modules
 */
public record HelperLimits(int line, Duration request, Duration answer, Duration dialog) {
    /** 4096 bytes; 30 seconds, 5 minutes and 15 minutes. */
    public static final HelperLimits DEFAULT =
            new HelperLimits(
                    4096, Duration.ofSeconds(30), Duration.ofMinutes(5), Duration.ofMinutes(15));

    /**
     * Checks the limits.
     *
     * @throws IllegalArgumentException if a limit is not positive
     */
    public HelperLimits {
        if (line < 1) {
            throw new IllegalArgumentException("lines of " + line + " bytes");
        }
        for (Duration time : new Duration[] {request, answer, dialog}) {
            if (!time.isPositive()) {
                throw new IllegalArgumentException("a time limit of " + time);
            }
        }
    }
}
