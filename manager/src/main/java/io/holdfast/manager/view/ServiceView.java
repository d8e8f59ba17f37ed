package io.holdfast.manager.view;

import io.holdfast.core.process.ProcessId;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What is known of a service beyond its {@link UnitStatus}.
 *
 * @param control the process that runs a command beside the main one
 * @param lastMain the main process of the last run, which may have gone
 * @param mainStart when that was spawned or named
 * @param mainExit when it exited
 * @param uid of the user that {@code User=} or {@code DynamicUser=} gives it, while it runs
 * @param gid of the group that goes with it
 * @param reloadResult how its last reload ended, in systemd's words
 * @param nextPause before the next automatic restart
 */
public record ServiceView(
        Optional<ProcessId> control,
        Optional<ProcessId> lastMain,
        DualTimestamp mainStart,
        DualTimestamp mainExit,
        OptionalLong uid,
        OptionalLong gid,
        String reloadResult,
        TimeSpan nextPause) {}
