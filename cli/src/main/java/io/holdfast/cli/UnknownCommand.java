package io.holdfast.cli;

import io.holdfast.core.text.EditDistance;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Composes the error for an unknown command: the counterpart of a command of systemctl, pkcheck and
 * similar tools, else the command with the most similar name, else a list of all commands.
 */
final class UnknownCommand {
    private static final String STATUS = "holdfast status [UNIT...]";

    /** Commands of other tools, and their counterparts here. */
    private static final Map<String, String> ELSEWHERE =
            Map.ofEntries(
                    Map.entry("list-units", STATUS),
                    Map.entry("list-sockets", STATUS),
                    Map.entry("is-active", STATUS + ", by its exit code"),
                    Map.entry("is-failed", "holdfast status --failed"),
                    Map.entry("is-system-running", STATUS),
                    Map.entry("show", "holdfast status --json UNIT"),
                    Map.entry("logs", STATUS + ", which shows the last lines"),
                    Map.entry("journalctl", STATUS + ", which shows the last lines"),
                    Map.entry("try-restart", "holdfast restart UNIT"),
                    Map.entry("condrestart", "holdfast restart UNIT"),
                    Map.entry(
                            "reload-or-restart", "holdfast reload UNIT, or holdfast restart UNIT"),
                    Map.entry("analyze", "holdfast verify UNIT"),
                    Map.entry("ps", "holdfast info PID"),
                    Map.entry("cgls", "holdfast info --tree"),
                    Map.entry("pkcheck", "holdfast check ACTION"),
                    Map.entry("pkaction", "holdfast actions"),
                    Map.entry("pkttyagent", "holdfast agent"),
                    Map.entry("exec", "holdfast run -- COMMAND"));

    private UnknownCommand() {}

    /** Returns the one-line error for an unknown command. */
    static String message(String word) {
        String here = ELSEWHERE.get(word);
        if (here != null) {
            return "unknown command '" + word + "'; use: " + here;
        }
        String near = nearest(word);
        return near == null
                ? "unknown command '" + word + "'; commands: " + String.join(" ", Commands.names())
                : "unknown command '" + word + "' (did you mean " + near + "?)";
    }

    private static @Nullable String nearest(String word) {
        String best = null;
        int least = 1 + Math.max(1, word.length() / 3);
        List<String> names = Commands.names();
        for (String name : names) {
            int distance = EditDistance.of(word, name);
            if (distance < least) {
                least = distance;
                best = name;
            }
        }
        return best;
    }
}
