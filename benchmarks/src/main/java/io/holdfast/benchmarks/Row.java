package io.holdfast.benchmarks;

import java.io.IOException;
import java.util.List;

/** A row of the table of figures, which may have several lines. */
interface Row {
    /**
     * How much is measured.
     *
     * @param quick a tenth of the work, to see that it runs
     */
    record Effort(boolean quick) {
        int rounds(int usual) {
            return quick ? Math.min(usual, 3) : usual;
        }

        int count(int usual) {
            return quick ? Math.max(1, usual / 10) : usual;
        }
    }

    /** What it is called on the command line. */
    String name();

    /** Measures; a line may say that it was skipped, and why. */
    List<Line> measure(Effort effort) throws IOException, InterruptedException;
}
