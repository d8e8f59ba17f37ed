package io.holdfast.cli.output;

import java.time.Duration;
import java.time.Instant;

/** Formats for people how long ago something was, by the wall clock, in its two largest units. */
public final class AgeText {
    private AgeText() {}

    /**
     * Returns for example {@code 3 d 4 h} or {@code 2 min 5 s}; a time in the future counts as now.
     */
    public static String of(Instant since) {
        Duration age = Duration.between(since, Instant.now());
        if (age.toDays() > 0) {
            return age.toDays() + " d " + age.toHoursPart() + " h";
        }
        if (age.toHours() > 0) {
            return age.toHours() + " h " + age.toMinutesPart() + " min";
        }
        return age.toMinutes() > 0
                ? age.toMinutes() + " min " + age.toSecondsPart() + " s"
                : Math.max(0, age.toSeconds()) + " s";
    }
}
