package io.holdfast.manager.loop;

import io.holdfast.core.process.Exit;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;

/** Counts what a manager has done since it started, for its metrics. On the loop. */
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

    /** Counts a process of a unit that was spawned. */
    public void spawned() {
        spawns++;
    }

    /** Counts a process of a unit that could not be spawned. */
    public void spawnFailed() {
        failedSpawns++;
    }

    /** Counts the exit of a main or control process of a unit. */
    public void exited(Exit exit) {
        exits.merge(ExitOutcome.of(exit), 1L, Long::sum);
    }

    /** Counts an automatic restart that was queued. */
    public void restarted() {
        restarts++;
    }

    /** Counts a line that a unit wrote. */
    public void lineWritten() {
        lines++;
    }

    /** Counts a notify message that arrived. */
    public void messageReceived() {
        messages++;
    }

    /** Counts a notify message that was refused or ignored. */
    public void messageRefused() {
        refusedMessages++;
    }

    /**
     * Returns the exits of processes by their outcome, in the words of systemd's {@code Result=}:
     * {@code success} (status 0), {@code exit-code}, {@code signal}, {@code core-dump}; {@code
     * unknown} for a process that ended while no manager was running.
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

    /** {@return how many lines units have written} */
    public long lines() {
        return lines;
    }

    /** {@return how many notify messages arrived, including the refused ones} */
    public long messages() {
        return messages;
    }

    public long refusedMessages() {
        return refusedMessages;
    }
}
