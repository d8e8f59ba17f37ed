package io.holdfast.manager.view;

import io.holdfast.core.process.Exit;
import io.holdfast.core.process.ProcessId;
import io.holdfast.manager.process.ProcessList;
import io.holdfast.manager.process.UnitProcess;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.section.Unit;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A snapshot of a unit.
 *
 * @param subState the word of systemd: {@code running}, {@code stop-sigterm}, …
 * @param since when it entered that state
 * @param result how the last run ended, {@code success} while nothing went wrong
 * @param mainProcess its main process
 * @param mainExit how the last main process ended
 * @param failure why it failed or was not started, as far as that is known beyond its result
 * @param invocationId 32 hexadecimal digits that identify this run, empty before the first
 * @param cgroup the path of its cgroup, while it has one
 * @param processes its processes, as {@link ProcessList} bounds them
 * @param statusText its own text (STATUS=)
 * @param restarts automatic restarts since the last start on request
 * @param log the last lines of its output
 * @param logUser the user of {@code User=} whose runs wrote all of them: this user may read them,
 *     beside those who may read all logs. Empty if the runs had no such user, a dynamic one, or
 *     several
 */
public record UnitStatus(
        String name,
        String description,
        String loadState,
        ActiveState activeState,
        String subState,
        Instant since,
        String result,
        Optional<ProcessId> mainProcess,
        Optional<Exit> mainExit,
        Optional<String> failure,
        String invocationId,
        Optional<String> cgroup,
        List<UnitProcess> processes,
        String statusText,
        int restarts,
        Optional<Path> fragment,
        List<Path> dropIns,
        List<Diagnostic> diagnostics,
        List<String> log,
        OptionalLong logUser) {

    public UnitStatus {
        processes = List.copyOf(processes);
        dropIns = List.copyOf(dropIns);
        diagnostics = List.copyOf(diagnostics);
        log = List.copyOf(log);
    }

    /** The diagnostics that prevent a start. */
    public List<Diagnostic> errors() {
        return diagnostics.stream()
                .filter(diagnostic -> diagnostic.severity() == Diagnostic.Severity.ERROR)
                .toList();
    }

    /** The diagnostics that do not prevent a start. */
    public List<Diagnostic> warnings() {
        return diagnostics.stream()
                .filter(diagnostic -> diagnostic.severity() != Diagnostic.Severity.ERROR)
                .toList();
    }

    /** Returns the status of a unit without processes. */
    public static UnitStatus of(Unit unit, ActiveState active, String subState) {
        return of(unit, active, subState, Instant.EPOCH, "success");
    }

    /** Returns the status of a unit without processes, with its result. */
    public static UnitStatus of(
            Unit unit, ActiveState active, String subState, Instant since, String result) {
        return new UnitStatus(
                unit.name().text(),
                unit.unit().description(),
                loadState(unit),
                active,
                subState,
                since,
                result,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                "",
                Optional.empty(),
                List.of(),
                "",
                0,
                unit.source().fragment(),
                unit.source().dropIns(),
                unit.diagnostics(),
                List.of(),
                OptionalLong.empty());
    }

    /** Returns a copy with its processes. */
    public UnitStatus withProcesses(List<UnitProcess> found) {
        return with(failure, invocationId, cgroup, found, log, logUser);
    }

    /** Returns a copy with the reason why it failed or was not started. */
    public UnitStatus withFailure(Optional<String> why) {
        return with(why, invocationId, cgroup, processes, log, logUser);
    }

    /** Returns a copy with its cgroup. */
    public UnitStatus withCgroup(Optional<String> path) {
        return with(failure, invocationId, path, processes, log, logUser);
    }

    /** Returns a copy with the id of its run. */
    public UnitStatus withInvocation(String id) {
        return with(failure, id, cgroup, processes, log, logUser);
    }

    /** Returns a copy with the last lines of its output. */
    public UnitStatus withLog(List<String> lines, OptionalLong writer) {
        return with(failure, invocationId, cgroup, processes, lines, writer);
    }

    private UnitStatus with(
            Optional<String> why,
            String invocation,
            Optional<String> inCgroup,
            List<UnitProcess> found,
            List<String> lines,
            OptionalLong writer) {
        return new UnitStatus(
                name,
                description,
                loadState,
                activeState,
                subState,
                since,
                result,
                mainProcess,
                mainExit,
                why,
                invocation,
                inCgroup,
                found,
                statusText,
                restarts,
                fragment,
                dropIns,
                diagnostics,
                lines,
                writer);
    }

    public static String loadState(Unit unit) {
        return switch (unit.source().state()) {
            case MASKED -> "masked";
            case NOT_FOUND -> "not-found";
            case LOADED ->
                    !unit.isRefused()
                            ? "loaded"
                            : unit.unreadable().isPresent() ? "error" : "bad-setting";
        };
    }
}
