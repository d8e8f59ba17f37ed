package io.holdfast.manager.view;

import io.holdfast.core.process.ProcessId;
import io.holdfast.manager.loop.DualTimestamp;
import io.holdfast.manager.unit.section.ServiceSection.NotifyAccess;
import io.holdfast.manager.unit.value.TimeSpan;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The state of a service beyond its {@link UnitStatus}.
 *
 * @param control the control process, which runs a command beside the main process
 * @param lastMain the main process of the last run, which may have ended
 * @param mainStart when the main process was spawned or named
 * @param mainExit when the main process exited
 * @param uid of its user by {@code User=} or {@code DynamicUser=}, while it runs
 * @param gid of the group that goes with this user
 * @param reloadResult how its last reload ended, in systemd's words
 * @param nextPause the delay before the next automatic restart
 * @param watchdog the watchdog timeout in effect, which the service may have changed; 0: none
 * @param notifyAccess which processes may send notify messages, which the service may have changed
 * @param givenNames the names of the descriptors that its maker has passed for its main process
 * @param reported the errors that the service has reported
 */
public record ServiceView(
        Optional<ProcessId> control,
        Optional<ProcessId> lastMain,
        DualTimestamp mainStart,
        DualTimestamp mainExit,
        OptionalLong uid,
        OptionalLong gid,
        String reloadResult,
        TimeSpan nextPause,
        TimeSpan watchdog,
        NotifyAccess notifyAccess,
        List<String> givenNames,
        ReportedErrors reported)
        implements UnitDetails {}
