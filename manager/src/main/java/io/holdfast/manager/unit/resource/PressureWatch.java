package io.holdfast.manager.unit.resource;

import io.holdfast.manager.unit.directive.Assignment;
import io.holdfast.manager.unit.value.Scalars;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.Locale;

/**
 * How a service is told of a shortage of memory.
 *
 * @param threshold the stall within two seconds that is reported
 */
public record PressureWatch(Mode mode, TimeSpan threshold) {
    public static final PressureWatch STANDARD = new PressureWatch(Mode.AUTO, TimeSpan.millis(200));

    /** Whether the service gets the variables of the watch. */
    public enum Mode {
        /** If its memory is accounted. */
        AUTO,
        YES,
        /** The variables say that there is nothing to watch. */
        NO,
        /** It gets no variables. */
        SKIP
    }

    /** Reads {@code MemoryPressureWatch=}; an empty assignment takes over the mode of another. */
    public PressureWatch readMode(Assignment a, PressureWatch otherwise) {
        return new PressureWatch(
                a.isEmpty() ? otherwise.mode : a.value(mode, PressureWatch::parse), threshold);
    }

    private static Mode parse(String text) {
        String word = text.toLowerCase(Locale.ROOT);
        if (word.equals("auto") || word.equals("skip")) {
            return word.equals("auto") ? Mode.AUTO : Mode.SKIP;
        }
        return Scalars.findBoolean(text)
                .map(on -> on ? Mode.YES : Mode.NO)
                .orElseThrow(() -> Scalars.bad("yes, no, auto or skip", text));
    }

    /** Reads {@code MemoryPressureThresholdSec=} in the same way. */
    public PressureWatch readThreshold(Assignment a, PressureWatch otherwise) {
        return new PressureWatch(mode, a.isEmpty() ? otherwise.threshold : a.span(threshold));
    }
}
