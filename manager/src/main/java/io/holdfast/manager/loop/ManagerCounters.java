package io.holdfast.manager.loop;

import io.holdfast.core.process.Exit;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;

/** What a manager has done since it began, for its metrics. On the loop. */
public final class ManagerCounters {
    private enum ExitOutcome {
        SUCCESS("success"),
        EXIT_CODE("exit-code"),
        SIGNAL("signal"),
        CORE_DUMP("core-dump"),
        UNKNOWN("unknown");

        private final String word;

        ExitOutcome(String word) {
            this.word = word;
        }

        static ExitOutcome of(Exit exit) {
            return switch (exit) {
                case Exit.Exited(int status) -> status == 0 ? SUCCESS : EXIT_CODE;
                case Exit.Killed(_, boolean dumped) -> dumped ? CORE_DUMP : SIGNAL;
                case Exit.Unknown _ -> UNKNOWN;
            };
        }
    }

    private final Map<ExitOutcome, Long> exits = new EnumMap<>(ExitOutcome.class);
    private long spawns;
    private long failedSpawns;
    private long restarts;
    private long lines;
    private long messages;
    private long refusedMessages;

    /** A process of a unit was spawned. */
    public void spawned() {
        spawns++;
    }

    /** A process of a unit could not be spawned. */
    public void spawnFailed() {
        failedSpawns++;
    }

    /** A main or control process of a unit has ended. */
    public void exited(Exit exit) {
        exits.merge(ExitOutcome.of(exit), 1L, Long::sum);
    }

    /** An automatic restart was queued. */
    public void restarted() {
        restarts++;
    }

    /** A unit has written a line. */
    public void lineWritten() {
        lines++;
    }

    /** A notify message has arrived. */
    public void messageReceived() {
        messages++;
    }

    /** A notify message was refused or ignored. */
    public void messageRefused() {
        refusedMessages++;
    }

    /**
     * Ends of processes by their outcome, in the words of {@code Result=} of systemd: {@code
     * success} (status 0), {@code exit-code}, {@code signal}, {@code core-dump}; {@code unknown} of
     * a process that ended while no manager was there.
     */
    public Map<String, Long> exits() {
        Map<String, Long> byWord = new HashMap<>();
        exits.forEach((outcome, count) -> byWord.put(outcome.word, count));
        return byWord;
    }

    public long spawns() {
        return spawns;
    }

    public long failedSpawns() {
        return failedSpawns;
    }

    public long restarts() {
        return restarts;
    }

    /** Lines that units have written. */
    public long lines() {
        return lines;
    }

    /** Notify messages, those that were refused included. */
    public long messages() {
        return messages;
    }

    public long refusedMessages() {
        return refusedMessages;
    }
}
