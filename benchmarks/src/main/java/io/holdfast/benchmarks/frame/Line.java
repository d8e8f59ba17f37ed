package io.holdfast.benchmarks.frame;

import com.google.errorprone.annotations.FormatMethod;
import io.holdfast.benchmarks.frame.Turns.Ratio;
import java.util.Locale;

/**
 * A line of the table.
 *
 * @param ratio ours divided by the peer's; less is better, except for rates
 * @param reach the target
 */
public record Line(
        String what, String ours, String peer, String ratio, String reach, Verdict verdict) {
    /** The result. */
    public enum Verdict {
        OK("ok"),
        MISSED("**missed**"),
        /** For information: there is no target. */
        NONE(""),
        SKIPPED("skipped");

        private final String text;

        Verdict(String text) {
            this.text = text;
        }
    }

    public static final String HEADER =
            """
            | what | ours | beside | ratio (quartiles) | reach | |
            |---|---|---|---|---|---|
            """;

    /** A comparison with a target ratio, which counts as it is shown: to the hundredth. */
    public static Line of(
            String what, String ours, String peerName, String peer, Ratio ratio, double most) {
        return new Line(
                what,
                ours,
                peerName + " " + peer,
                text(ratio),
                format("≤ %.2f", most),
                hundredths(ratio.median()) <= hundredths(most) ? Verdict.OK : Verdict.MISSED);
    }

    /** A comparison of rates; ours must be at least that many times the peer's. */
    public static Line atLeast(
            String what, String ours, String peerName, String peer, Ratio ratio, double least) {
        return new Line(
                what,
                ours,
                peerName + " " + peer,
                text(ratio),
                format("≥ %.1f", least),
                hundredths(ratio.median()) >= hundredths(least) ? Verdict.OK : Verdict.MISSED);
    }

    private static long hundredths(double ratio) {
        return Math.round(ratio * 100);
    }

    /** A comparison for information. */
    public static Line of(String what, String ours, String peerName, String peer, Ratio ratio) {
        return new Line(what, ours, peerName + " " + peer, text(ratio), "", Verdict.NONE);
    }

    /** A value that must stay below a limit. */
    public static Line limit(String what, String ours, String peer, String reach, boolean ok) {
        return new Line(what, ours, peer, "", reach, ok ? Verdict.OK : Verdict.MISSED);
    }

    /** A value for information. */
    public static Line note(String what, String ours, String peer) {
        return new Line(what, ours, peer, "", "", Verdict.NONE);
    }

    public static Line skipped(String what, String why) {
        return new Line(what, why, "", "", "", Verdict.SKIPPED);
    }

    private static String text(Ratio ratio) {
        return format("%.2f (%.2f–%.2f)", ratio.median(), ratio.low(), ratio.high());
    }

    public static String nanoseconds(double value) {
        return value < 10_000
                ? format("%.0f ns", value)
                : value < 10_000_000
                        ? format("%.1f µs", value / 1e3)
                        : format("%.1f ms", value / 1e6);
    }

    @FormatMethod
    public static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    public String markdown() {
        return "| " + String.join(" | ", what, ours, peer, ratio, reach, verdict.text) + " |";
    }
}
