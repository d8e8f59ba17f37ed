package io.holdfast.manager.mount;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Readiness;
import io.holdfast.core.Registration;
import io.holdfast.core.file.FileException;
import io.holdfast.core.state.Fields;
import io.holdfast.core.sys.SysAutofs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.TableWatch;
import io.holdfast.manager.loop.TimeLimit;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.runtime.JobWaiters;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.RunPhase;
import io.holdfast.manager.runtime.TriggeringUnit;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.file.MountTable;
import io.holdfast.manager.unit.section.AutomountUnit;
import io.holdfast.manager.unit.section.Unit;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * An automount at run time, after systemd.automount(5): a process that walks into its path waits in
 * the kernel until the mount is there. Used on the event loop.
 *
 * <p>The kernel's request stays in the pipe until it is answered. So the pipe is the only record of
 * it: a manager that follows a killed one reads the same request again. The pipe is watched only
 * while no request is being handled. The manager itself never waits, nor does mount(8), which it
 * runs in its own process group.
 */
public final class ManagedAutomount extends TriggeringUnit {
    private static final int EXPIRY_CHECKS = 3; // in one TimeoutIdleSec=
    private static final Duration SHORTEST = Duration.ofSeconds(1);

    private final TableWatch<MountTable> mounts;
    private final Lane expiryLane; // waits for the answer to the request that it causes
    private final TimeLimit nextExpiry;
    private final JobWaiters removals = new JobWaiters();
    private @Nullable AutofsPoint point;
    private @Nullable Registration watch;
    private OptionalInt handled = OptionalInt.empty(); // the token of the request that is handled
    private OptionalInt checked = OptionalInt.empty(); // came with a mount; the table was read
    private boolean expiring;
    private boolean removing;
    private @Nullable Work<Made> making;
    private Consumer<JobResult> beginning = _ -> {}; // receives the result of that

    /**
     * @param mounts the table that all mounts of the manager share
     */
    public ManagedAutomount(ManagerContext context, Unit unit, TableWatch<MountTable> mounts) {
        super(context, unit);
        this.mounts = mounts;
        expiryLane = context.workers().ownLane(unit.name().text());
        nextExpiry = new TimeLimit(context.loop());
    }

    private AutomountUnit.Section section() {
        return ((AutomountUnit) unit()).automount();
    }

    private String key() {
        return "autofs " + name();
    }

    @Override
    protected void begin(Consumer<JobResult> done) {
        AutomountUnit.Section section = section();
        beginning = done;
        making =
                lane.work("the automount point", () -> make(section))
                        .releasing(made -> made.point().ifPresent(AutofsPoint::remove))
                        .within(ManagerLimits.READ_TIMEOUT.duration())
                        .begin((made, failure) -> {
                            making = null;
                            if (made == null) {
                                fail(
                                        Result.RESOURCES,
                                        "cannot make the automount point: " + Work.reason(failure));
                                done.accept(JobResult.FAILED);
                            } else if (made.point().isEmpty()) {
                                refuse(done, made.refusal());
                            } else {
                                point = made.point().get();
                                context.survival().keepClosable(key(), point.descriptors());
                                up(done);
                            }
                        });
    }

    /**
     * What a start has made.
     *
     * @param refusal why the point was not made
     */
    private record Made(Optional<AutofsPoint> point, String refusal) {}

    /** Makes the point. Blocking. */
    private Made make(AutomountUnit.Section section) throws FileException {
        if (!context.events().activation().isThere(triggered())) {
            return new Made(Optional.empty(), triggered() + ": there is no such unit");
        }
        if (MountTable.readWhole().at(section.where()).isPresent()) {
            return new Made(Optional.empty(), "something is mounted on " + section.where());
        }
        String source = AutofsPoint.source(context.runtimeFolder());
        AutofsPoint.removeLeftovers(section.where(), source);
        return new Made(Optional.of(AutofsPoint.make(section, source)), "");
    }

    // ---- requests of the kernel

    @Override
    protected void await() {
        ignore();
        boolean isDown = context.events().activation().phaseOf(triggered()) == RunPhase.DOWN;
        enter(isDown ? State.WAITING : State.RUNNING);
        serve(true);
    }

    @Override
    protected void ignore() {
        if (watch != null) {
            watch.cancel();
            watch = null;
        }
    }

    @Override
    protected void noteTriggered(ManagedUnit other) {
        if (other.mayStartIn().isPresent() && other.activeState() == ActiveState.FAILED) {
            fail(
                    Result.MOUNT_START_LIMIT_HIT,
                    triggered() + ": start limit hit: no longer waiting");
        } else if (other.phase() != RunPhase.DOWN) { // otherwise await() follows
            serve();
        }
    }

    private void serve() {
        serve(false);
    }

    /**
     * Answers the requests that the state of the mount answers, and begins what they want.
     *
     * @param startIsOver whether no start of the mount is under way that this unit has begun
     */
    private void serve(boolean startIsOver) {
        AutofsPoint at = point;
        if (at == null || !state().isUp()) {
            return;
        }
        try {
            RunPhase phase = context.events().activation().phaseOf(triggered());
            while (true) {
                SysAutofs.Request request = SysAutofs.peek(at.pipe()).orElse(null);
                if (request == null) {
                    watch(at.pipe());
                    expireLater(phase);
                    return;
                }
                OptionalInt token = OptionalInt.of(request.token());
                boolean isNew = !handled.equals(token);
                if (isNew
                        && !request.expire()
                        && phase == RunPhase.RUNNING
                        && !checked.equals(token)) {
                    ignore(); // others have unmounted it, and the table was read before
                    checked = token;
                    mounts.refresh(this::serve);
                    return;
                }
                if (phase != (request.expire() ? RunPhase.DOWN : RunPhase.RUNNING)) {
                    boolean settled = phase == RunPhase.DOWN || phase == RunPhase.RUNNING;
                    if (!settled || isNew) {
                        handle(request, settled);
                        return;
                    }
                    if (phase == RunPhase.DOWN && !startIsOver) {
                        return;
                    }
                    int _ = SysAutofs.fail(at.root(), request.token(), Errno.ENODEV);
                } else {
                    int _ = SysAutofs.ready(at.root(), request.token());
                }
                handled = OptionalInt.empty();
                SysAutofs.remove(at.pipe());
            }
        } catch (ErrnoException e) {
            fail(Result.RESOURCES, "cannot read the kernel's request: " + e.getMessage());
        }
    }

    /**
     * Begins what a request wants; the next change of the mount answers it.
     *
     * @param settled whether the mount can be started or stopped now
     */
    private void handle(SysAutofs.Request request, boolean settled) {
        ignore();
        if (!settled) {
            return;
        }
        handled = OptionalInt.of(request.token());
        if (request.expire()) {
            context.info(name(), "the mount is idle: stopping " + triggered());
            context.events().activation().stop(name(), triggered(), this::serve);
        } else {
            context.info(name(), "the path is accessed by process " + request.pid());
            trigger("an access", Map::of);
        }
    }

    private void watch(Fd pipe) {
        if (watch == null) {
            watch = context.loop().watch(pipe, Readiness.IN, _ -> serve());
        }
    }

    // ---- the idle timeout

    private void expireLater(RunPhase phase) {
        Duration idle = section().idleTimeout().duration().orElse(Duration.ZERO);
        if (phase != RunPhase.RUNNING || idle.isZero() || expiring) {
            nextExpiry.lift();
        } else if (!nextExpiry.isSet()) {
            Duration third = idle.dividedBy(EXPIRY_CHECKS);
            nextExpiry.set(third.compareTo(SHORTEST) < 0 ? SHORTEST : third, this::expire);
        }
    }

    private void expire() {
        AutofsPoint at = point;
        if (at == null) {
            return;
        }
        expiring = true;
        Work<Integer> _ =
                expiryLane
                        .work("the check of its idle timeout", () -> SysAutofs.expire(at.root()))
                        .begin((_, _) -> {
                            expiring = false;
                            serve();
                        });
    }

    // ---- the end

    @Override
    protected void wentDown() {
        nextExpiry.lift();
        handled = OptionalInt.empty();
        AutofsPoint at = point;
        point = null;
        if (at == null) {
            return;
        }
        removing = true;
        Work<Boolean> _ =
                lane.work(
                                "the removal of the automount point",
                                () -> {
                                    at.remove();
                                    return true;
                                })
                        .evenIfLate()
                        .within(ManagerLimits.READ_TIMEOUT.duration())
                        .begin((_, failure) -> {
                            if (failure != null) {
                                context.error(
                                        name(),
                                        "cannot remove the automount point: "
                                                + Work.reason(failure));
                            }
                            context.survival().drop(key());
                            removing = false;
                            removals.answer(JobResult.DONE);
                        });
    }

    /** Gives up the point that a start is making; the worker removes it. */
    private void cancelStart() {
        Work<Made> work = making;
        making = null;
        if (work != null) {
            work.cancel();
            beginning.accept(JobResult.CANCELED);
        }
    }

    @Override
    public void stop(Consumer<JobResult> done) {
        cancelStart();
        super.stop(result -> {
            if (removing) {
                removals.add(done);
            } else {
                done.accept(result);
            }
        });
    }

    @Override
    public boolean isKept() {
        return super.isKept() || removing || making != null;
    }

    @Override
    public void abandon() {
        super.abandon();
        cancelStart();
        nextExpiry.lift();
        if (point != null) {
            point.remove();
            point = null;
        }
    }

    // ---- when the manager is killed

    @Override
    public Runnable restore(Fields record) {
        Runnable resume = super.restore(record);
        List<Fd> kept = context.survival().take(key());
        if (kept.size() == 2) {
            point = new AutofsPoint(kept.getFirst(), kept.getLast());
        } else {
            kept.forEach(Fd::close);
        }
        return () -> {
            if (point == null && state().isUp()) {
                fail(Result.RESOURCES, "the automount point of the killed manager is lost");
                return;
            }
            resume.run();
            serve();
        };
    }
}
