package io.holdfast.manager.request;

import io.holdfast.manager.catalog.UnitCatalog;
import io.holdfast.manager.job.JobOutcome;
import io.holdfast.manager.job.JobRefusedException;
import io.holdfast.manager.job.JobRefusedException.Reason;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.job.JobType;
import io.holdfast.manager.process.ExitText;
import io.holdfast.manager.runtime.LoadedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.UnitTable;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.view.UnitStatus;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Explains to the caller of a request how its job ended, down to the unit and the line that is the
 * cause, and logs why requests are refused. Used on the event loop.
 */
final class JobExplanations {
    private final ManagerContext context;
    private final UnitTable units;

    JobExplanations(ManagerContext context, UnitTable units) {
        this.context = context;
        this.units = units;
    }

    // ---- refusals

    /**
     * Logs why a request is refused and because of which unit, and returns it. The status of a unit
     * that was to be started shows it, too. That the requested unit does not exist is only
     * returned.
     */
    JobOutcome refused(
            UnitName name, JobType type, JobRefusedException refusal, UnitCatalog.Closure closure) {
        UnitName cause = refusal.unit().orElse(name);
        List<UnitCatalog.Missing> needing =
                closure.missing().stream().filter(each -> each.required().equals(cause)).toList();
        for (UnitCatalog.Missing each : needing) {
            context.error(each.unit(), each.text());
        }
        String detail = detail(name, cause, type, refusal, closure);
        boolean isKnown =
                units.isFound(cause)
                        || (isOf(name, cause) && !isAbsent(refusal, closure.read(cause)));
        if (needing.isEmpty() && isKnown && !refusal.detail().isEmpty()) {
            context.error(cause, type == JobType.RELOAD ? "cannot be reloaded: " + detail : detail);
        }
        if (!isOf(name, cause) && needing.stream().noneMatch(each -> isOf(name, each.unit()))) {
            context.error(name, type.word() + " is refused: " + refusal.getMessage());
        }
        String why =
                needing.isEmpty()
                        ? isOf(name, cause) ? detail : cause + ": " + detail
                        : needing.stream()
                                .map(each ->
                                        isOf(name, each.unit())
                                                ? each.text()
                                                : each.unit() + ": " + each.text())
                                .collect(Collectors.joining("; "));
        note(name, type, why);
        return new JobOutcome(resultOf(name, refusal), Optional.of(why), List.of());
    }

    private String detail(
            UnitName name,
            UnitName cause,
            JobType type,
            JobRefusedException refusal,
            UnitCatalog.Closure closure) {
        if (type == JobType.RELOAD && refusal.reason() == Reason.NOT_APPLICABLE) {
            return name.type().mayReload()
                    ? "it has no ExecReload="
                    : "only services can be reloaded";
        }
        if (!refusal.detail().isEmpty()) {
            return refusal.detail();
        }
        LoadedUnit node = units.node(cause);
        Unit unit = node == null ? closure.read(cause) : node.unit().newest();
        return firstError(unit).orElse(String.valueOf(refusal.getMessage()));
    }

    /** Returns whether there is nothing to say about a unit but what its requester is told. */
    private static boolean isAbsent(JobRefusedException refusal, @Nullable Unit read) {
        return refusal.reason() == Reason.NO_SUCH_UNIT
                && (read == null || read.diagnostics().isEmpty());
    }

    private static Optional<String> firstError(@Nullable Unit unit) {
        return Optional.ofNullable(unit).stream()
                .flatMap(each -> each.diagnostics().stream())
                .filter(each -> each.severity() == Diagnostic.Severity.ERROR)
                .map(Object::toString)
                .findFirst();
    }

    private void note(UnitName name, JobType type, String why) {
        LoadedUnit node = units.node(name);
        boolean starts = type == JobType.START || type == JobType.RESTART;
        if (starts && node != null && node.isFound() && !node.activeState().isUp()) {
            node.unit().notStarted(why);
        }
    }

    private boolean isOf(UnitName name, UnitName unit) {
        LoadedUnit node = units.node(name);
        return name.equals(unit) || (node != null && node.name().equals(unit));
    }

    private JobResult resultOf(UnitName name, JobRefusedException refusal) {
        boolean isItself = refusal.unit().map(unit -> isOf(name, unit)).orElse(true);
        return switch (refusal.reason()) {
            case NO_SUCH_UNIT, MASKED, BAD_SETTING, UNREADABLE ->
                    isItself ? JobResult.INVALID : JobResult.DEPENDENCY;
            case DEPENDENCY, CYCLIC_ORDER -> JobResult.DEPENDENCY;
            case DESTRUCTIVE -> JobResult.CANCELED;
            default -> JobResult.INVALID;
        };
    }

    // ---- jobs that have ended

    /**
     * Explains how a job ended.
     *
     * @param requested the units of the whole request
     */
    JobOutcome ended(
            UnitName name,
            JobType type,
            JobResult result,
            Collection<UnitName> requested,
            UnitCatalog.Closure closure) {
        LoadedUnit node = units.node(name);
        Optional<String> failure = node == null ? units.reasonOf(name) : failure(node);
        if (result != JobResult.DONE) {
            boolean isDown = type == JobType.RELOAD && result == JobResult.INVALID;
            return new JobOutcome(
                    result, isDown ? Optional.of("it is not running") : failure, List.of());
        }
        List<String> warnings = new ArrayList<>();
        if (type == JobType.STOP) {
            triggering(node, requested).ifPresent(warnings::add);
        } else if (type != JobType.RELOAD) {
            if (node != null && !node.activeState().isUp()) {
                node.unit().status().failure().ifPresent(warnings::add); // a condition
            }
            warnings.addAll(notStarted(name, closure));
        }
        return new JobOutcome(result, Optional.empty(), warnings);
    }

    /** Returns why a unit failed or was not started, as far as that is known. */
    static Optional<String> failure(LoadedUnit node) {
        UnitStatus status = node.unit().status();
        boolean isUp = node.activeState().isUp();
        return status.failure()
                .or(() -> isUp ? Optional.empty() : status.mainExit().map(ExitText::of));
    }

    /** Returns the warning that other units may start a stopped unit again. */
    private static Optional<String> triggering(
            @Nullable LoadedUnit node, Collection<UnitName> requested) {
        if (node == null) {
            return Optional.empty();
        }
        String active =
                node.triggeredBy().stream()
                        .filter(unit -> unit.activeState().isUp())
                        .map(LoadedUnit::name)
                        .filter(unit -> !requested.contains(unit))
                        .map(UnitName::text)
                        .sorted()
                        .collect(Collectors.joining(", "));
        return active.isEmpty()
                ? Optional.empty()
                : Optional.of("stopped, but it can be started again by: " + active);
    }

    /** Returns one warning for each unsupported type of unit that a start has pulled in. */
    private List<String> notStarted(UnitName name, UnitCatalog.Closure closure) {
        Map<UnitType, List<String>> skipped = new EnumMap<>(UnitType.class);
        for (Unit unit : closure.units().values()) {
            if (unit.source().state() == UnitSource.State.LOADED && !isOf(name, unit.name())) {
                units.unsupported(unit.name())
                        .ifPresent(_ ->
                                skipped.computeIfAbsent(unit.name().type(), _ -> new ArrayList<>())
                                        .add(unit.name().text()));
            }
        }
        return skipped.values().stream()
                .map(each ->
                        units.unsupported(UnitName.of(each.getFirst())).orElseThrow()
                                + "; not started: "
                                + String.join(", ", each))
                .toList();
    }
}
