package io.holdfast.cli.service;

import io.holdfast.cli.output.AgeText;
import io.holdfast.cli.output.Ellipsis;
import io.holdfast.cli.output.Output;
import io.holdfast.varlink.json.JsonObject;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;

/** Prints all units as a table, one line each, sorted by name. */
final class UnitList {
    private static final int STATE = 12;
    private static final int SUBSTATE = 13;
    private static final int GAPS = 2 + 2 + 1 + 1; // after the dot and after three columns
    private static final int LEAST_NAME = 16;
    private static final int LEAST_DESCRIPTION = 8;

    private UnitList() {}

    /**
     * Prints the table.
     *
     * @param width the width of a line, to which names and descriptions are shortened; empty for no
     *     limit
     */
    static void print(List<JsonObject> units, OptionalInt width, Output output) {
        int longest = units.stream().mapToInt(unit -> unit.string("name").length()).max().orElse(0);
        int remaining = width.orElse(Integer.MAX_VALUE) - GAPS - STATE - SUBSTATE;
        int name = Math.min(longest, Math.max(LEAST_NAME, remaining - LEAST_DESCRIPTION));
        int description = remaining - name;
        units.stream()
                .sorted(Comparator.comparing(unit -> unit.string("name")))
                .forEach(unit ->
                        output.line(
                                UnitReport.dot(unit),
                                " " + pad(Ellipsis.middle(unit.string("name"), name), name) + "  ",
                                pad(unit.string("activeState"), STATE) + " ",
                                pad(unit.string("subState"), SUBSTATE) + " ",
                                description < 1
                                        ? ""
                                        : Ellipsis.middle(
                                                unit.string("description"), description)));
    }

    /** Prints the number of crashed managers, if any has crashed. */
    static void printCrashes(JsonObject before, Output output) {
        long crashes = before.integer("crashes");
        if (crashes == 0) {
            return;
        }
        Instant last = Instant.ofEpochMilli(before.integer("lastCrash") / 1000);
        output.line("");
        output.line(
                output.warning(
                        (crashes == 1 ? "a manager has" : crashes + " managers have")
                                + " ended unexpectedly"),
                ", the last "
                        + AgeText.of(last)
                        + " ago"
                        + before.optionalString("how").map(how -> " (" + how + ")").orElse("")
                        + ": adopted "
                        + (before.integer("adopted") == 1
                                ? "one unit"
                                : before.integer("adopted") + " units"));
    }

    private static String pad(String text, int width) {
        return text + " ".repeat(Math.max(0, width - text.codePointCount(0, text.length())));
    }
}
