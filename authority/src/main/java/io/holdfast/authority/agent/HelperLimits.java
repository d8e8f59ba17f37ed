package io.holdfast.authority.agent;

import java.time.Duration;

/**
 * What an agent may ask of the helper.
 *
 * @param line bytes of the user's name and of the cookie, each
 * @param request time for these two lines
 * @param answer time for each answer of the user, and for the agent to take what it is told
 * @param dialog time for all of it, with what PAM modules wait for by themselves
 */
public record HelperLimits(int line, Duration request, Duration answer, Duration dialog) {
    /** 4096 bytes; half a minute, five minutes, a quarter of an hour. */
    public static final HelperLimits DEFAULT =
            new HelperLimits(
                    4096, Duration.ofSeconds(30), Duration.ofMinutes(5), Duration.ofMinutes(15));

    /**
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
