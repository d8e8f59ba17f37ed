package io.holdfast.benchmarks.frame;

import java.io.IOException;
import java.util.List;

/** A row of the table of figures, which may have several lines. */
public interface Row {
    /**
     * How much is measured.
     *
     * @param quick a tenth of the work, only to check that it runs
     */
    record Effort(boolean quick) {
        public int rounds(int usual) {
            return quick ? Math.min(usual, 3) : usual;
        }

        public int count(int usual) {
            return quick ? Math.max(1, usual / 10) : usual;
        }
    }

    /** Returns its name on the command line. */
    String name();

    /** Measures; a line may say that it was skipped, and why. */
    List<Line> measure(Effort effort) throws IOException, InterruptedException;
}
