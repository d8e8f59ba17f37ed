package io.holdfast.manager.socket;

import io.holdfast.core.linux.ErrnoException;
import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.Lane;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.runtime.JobWaiters;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.SocketStatus;
import io.holdfast.manager.runtime.StartLimit;
import io.holdfast.manager.runtime.SubState;
import io.holdfast.manager.runtime.UnitStatus;
import io.holdfast.manager.runtime.UnitTimes;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.SocketUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.value.ConditionCheck;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A socket at run time: the state machine of systemd.socket(5).
 *
 * <pre>
 *   dead ─▶ start-chown ─▶ listening ◀──▶ running ─▶ stop-post ─▶ dead, failed
 *                              └─────────────────────▲
 * </pre>
 *
 * While it is listening it looks for traffic; that starts its service, and then the socket is
 * running, and looks no longer, until the service has gone. Its descriptors stay open all that
 * time, so that no client is lost when a service ends. With {@code Accept=yes} it stays listening,
 * and each connection starts an instance. On the loop; what may block is done by the workers.
 */
public final class ManagedSocket implements ManagedUnit, SocketConnections.Owner {
    private final ManagerContext context;
    private final Lane lane;
    private final SocketTraffic traffic;
    private final SocketConnections connections;
    private final JobWaiters starts = new JobWaiters();
    private final JobWaiters stops = new JobWaiters();
    private SocketUnit unit;
    private @Nullable SocketUnit newer;
    private StartLimit startLimit;
    private StartLimit triggerLimit;
    private SubState state = SubState.DEAD;
    private UnitTimes times = UnitTimes.NEVER;
    private Instant since = Instant.EPOCH;
    private SocketResult result = SocketResult.SUCCESS;
    private Optional<ListeningSockets> sockets = Optional.empty();
    private boolean wanted;
    private boolean startAgain; // somebody asked for a start while it stops
    private boolean stopAnnounced;
    private @Nullable Work<Opened> opening;

    ManagedSocket(ManagerContext context, SocketUnit unit) {
        this.context = context;
        this.lane = context.workers().ownLane(unit.name().text());
        this.unit = unit;
        this.startLimit = new StartLimit(unit.unit().startLimit());
        this.triggerLimit = new StartLimit(unit.socket().triggerLimit());
        this.traffic =
                new SocketTraffic(context.loop(), unit.socket().pollLimit(), this::trafficOn);
        this.connections = new SocketConnections(context, this);
    }

    @Override
    public SocketUnit unit() {
        return unit;
    }

    @Override
    public SocketUnit newest() {
        return newer == null ? unit : newer;
    }

    private UnitName name() {
        return unit.name();
    }

    private UnitName serviceName() {
        return unit.socket().service();
    }

    @Override
    public ActiveState activeState() {
        return state.active();
    }

    @Override
    public void reloaded(Unit reread) {
        if (reread instanceof SocketUnit socket) {
            newer = socket;
            if (isAtRest()) {
                takeNewer();
            }
        }
    }

    private void takeNewer() {
        if (newer != null && newer.source().state() != UnitSource.State.NOT_FOUND) {
            if (!newer.unit().startLimit().equals(unit.unit().startLimit())) {
                startLimit = new StartLimit(newer.unit().startLimit());
            }
            unit = newer;
            newer = null;
        }
    }

    private boolean isAtRest() {
        return state.active() == ActiveState.INACTIVE || state == SubState.FAILED;
    }

    private void enter(SubState next) {
        if (state != next) {
            times = times.after(state.active(), next.active());
            state = next;
            since = Instant.now();
            connectionsChanged();
        }
    }

    // ---- jobs

    @Override
    public void start(Consumer<JobResult> done) {
        wanted = true;
        switch (state.active()) {
            case ACTIVE, RELOADING -> done.accept(JobResult.DONE);
            case ACTIVATING -> {
                stopAnnounced = false;
                stops.answer(JobResult.CANCELED);
                starts.add(done);
            }
            case DEACTIVATING -> {
                starts.add(done);
                startAgain = true;
            }
            case INACTIVE, FAILED -> {
                starts.add(done);
                begin();
            }
        }
    }

    private void begin() {
        startAgain = false;
        stopAnnounced = false;
        takeNewer();
        result = SocketResult.SUCCESS;
        if (serviceRuns()) {
            context.error(
                    name(),
                    "its service "
                            + serviceName()
                            + " is active without it; stop that one first, or start both anew");
            rest(SocketResult.RESOURCES, JobResult.FAILED);
        } else if (startLimit.tryStart(System.nanoTime())) {
            open();
        } else {
            context.error(
                    name(),
                    "started too often; wait a while, or forget that: holdfast reset-failed");
            rest(SocketResult.START_LIMIT_HIT, JobResult.FAILED);
        }
    }

    /** Without these sockets: it could not be given them any more. */
    private boolean serviceRuns() {
        return switch (serviceState()) {
            case DEAD, FAILED, AUTO_RESTART -> false;
            default -> true;
        };
    }

    private SubState serviceState() {
        return context.events().activation().stateOf(serviceName());
    }

    private boolean serviceIsUp() {
        return serviceState().active().isUp();
    }

    /** What came out of the worker. */
    private record Opened(
            ConditionCheck.Verdict conditions,
            ConditionCheck.Verdict assertions,
            Optional<ListeningSockets> sockets) {}

    private void open() {
        triggerLimit = new StartLimit(unit.socket().triggerLimit());
        traffic.limit(unit.socket().pollLimit());
        enter(SubState.START_CHOWN);
        SocketUnit described = unit;
        opening =
                lane.work("to listen", () -> open(described))
                        .releasing(late -> late.sockets().ifPresent(ManagedSocket::remove))
                        .within(ManagerLimits.SOCKET_PATIENCE.duration())
                        .begin(this::opened);
    }

    private Opened open(SocketUnit described) throws Exception {
        ConditionCheck check =
                new ConditionCheck(context.host(), context.scope(), System.getenv(), Set.of());
        ConditionCheck.Verdict conditions = check.check(described.unit().conditions());
        ConditionCheck.Verdict assertions = check.check(described.unit().assertions());
        Consumer<String> warnings =
                text -> context.loop().postEnding(() -> context.warn(described.name(), text));
        return new Opened(
                conditions,
                assertions,
                conditions.met() && assertions.met()
                        ? Optional.of(ListeningSockets.open(described, warnings))
                        : Optional.empty());
    }

    private void opened(@Nullable Opened opened, @Nullable Exception failure) {
        opening = null;
        if (opened == null && !wanted && failure instanceof Work.LateException) {
            context.warn(name(), "its start is called off: " + failure.getMessage());
            rest(SocketResult.SUCCESS, JobResult.CANCELED);
        } else if (opened == null) {
            boolean late = failure instanceof Work.LateException;
            context.error(name(), "cannot listen: " + Work.reason(failure));
            rest(
                    late ? SocketResult.TIMEOUT : SocketResult.RESOURCES,
                    late ? JobResult.TIMEOUT : JobResult.FAILED);
        } else if (!opened.assertions().met()) {
            context.error(name(), "an assertion does not hold: " + opened.assertions().unmet());
            rest(SocketResult.RESOURCES, JobResult.ASSERT);
        } else if (!opened.conditions().met()) {
            context.notice(
                    name(),
                    "not started, a condition does not hold: " + opened.conditions().unmet());
            rest(SocketResult.SUCCESS, JobResult.DONE);
        } else {
            sockets = opened.sockets();
            if (wanted) {
                context.info(name(), "listening on " + addresses());
                listen();
                if (state == SubState.LISTENING) { // else it tells when it has failed
                    starts.answer(JobResult.DONE);
                }
            } else {
                down(SocketResult.SUCCESS);
            }
        }
    }

    private String addresses() {
        return String.join(
                ", ",
                unit.socket().listens().stream().map(one -> one.address().toString()).toList());
    }

    @Override
    public void announceStop() {
        if (!isAtRest()) {
            stopAnnounced = true;
            traffic.ignore();
        }
    }

    @Override
    public void withdrawStop() {
        boolean announced = stopAnnounced;
        stopAnnounced = false;
        if (announced && state == SubState.LISTENING) {
            listen();
        }
    }

    @Override
    public void stop(boolean restarting, Consumer<JobResult> done) {
        wanted = false;
        startAgain = false;
        switch (state.active()) {
            case INACTIVE, FAILED -> done.accept(JobResult.DONE);
            case DEACTIVATING -> stops.add(done);
            case ACTIVATING -> { // the answer finds that it is not wanted
                stops.add(done);
                if (opening != null) {
                    opening.limit(ManagerLimits.KILL_PATIENCE.duration());
                }
            }
            case ACTIVE, RELOADING -> {
                stops.add(done);
                down(SocketResult.SUCCESS);
            }
        }
    }

    @Override
    public void reload(Consumer<JobResult> done) {
        done.accept(JobResult.INVALID); // there is nothing to it
    }

    @Override
    public void resetFailed() {
        startLimit.reset();
        triggerLimit.reset();
        if (state == SubState.FAILED) {
            result = SocketResult.SUCCESS;
            enter(SubState.DEAD);
        }
    }

    @Override
    public Optional<Duration> mayStartIn() {
        return result == SocketResult.START_LIMIT_HIT
                ? Optional.of(startLimit.remaining(System.nanoTime()))
                : Optional.empty();
    }

    // ---- up

    private void listen() {
        enter(SubState.LISTENING);
        if (stopAnnounced) {
            return;
        }
        try {
            traffic.watch(openSockets());
        } catch (ErrnoException e) {
            fail(SocketResult.RESOURCES, "cannot look for traffic: " + e.getMessage());
        }
    }

    private List<ListeningSocket> openSockets() {
        return sockets.map(ListeningSockets::all).orElse(List.of());
    }

    private void trafficOn(ListeningSocket socket) {
        if (state != SubState.LISTENING) {
            traffic.ignore();
        } else if (unit.socket().accept()) {
            connections.accept(socket);
        } else if (serviceIsUp()) {
            attend(); // it was started by somebody else, and has the descriptors
        } else if (mayTrigger()) {
            attend();
            context.events().activation().start(name(), serviceName(), this::startedFor);
        }
    }

    @Override
    public boolean mayTrigger() {
        if (triggerLimit.tryStart(System.nanoTime())) {
            return true;
        }
        fail(
                SocketResult.TRIGGER_LIMIT_HIT,
                "has started "
                        + serviceName()
                        + " too often and listens no longer: TriggerLimitBurst="
                        + unit.socket().triggerLimit().burst());
        return false;
    }

    @Override
    public void connectionsChanged() {
        context.events().changed(name());
    }

    @Override
    public void pause(Duration length) {
        traffic.pause(length);
    }

    /** Its service looks for traffic now. */
    private void attend() {
        traffic.ignore();
        enter(SubState.RUNNING);
    }

    /** The start that it has asked for is over. */
    private void startedFor(boolean begun) {
        if (!begun) {
            if (state.active() == ActiveState.ACTIVE) {
                fail(SocketResult.RESOURCES, "cannot start " + serviceName());
            }
        } else if (state == SubState.RUNNING && !serviceIsUp()) {
            listen();
        }
    }

    /**
     * Its service has come into another state.
     *
     * @param mayNotStart whether it was started too often
     */
    public void serviceChanged(SubState of, boolean mayNotStart) {
        if (state.active() != ActiveState.ACTIVE || unit.socket().accept()) {
            return;
        }
        if (mayNotStart) {
            fail(
                    SocketResult.SERVICE_START_LIMIT_HIT,
                    serviceName() + " was started too often: listens no longer");
            return;
        }
        switch (of) {
            case DEAD, FAILED, AUTO_RESTART -> listen();
            case RUNNING -> attend();
            default -> {}
        }
    }

    // ---- down

    @Override
    public void fail(SocketResult why, String text) {
        context.error(name(), text);
        down(why);
    }

    private void down(SocketResult why) {
        note(why);
        traffic.ignore();
        enter(SubState.STOP_POST);
        Optional<ListeningSockets> left = sockets;
        sockets = Optional.empty();
        removal(left)
                .begin((_, failure) -> {
                    if (failure != null) {
                        context.warn(name(), "cannot clean up: " + failure.getMessage());
                    }
                    if (failure instanceof Work.LateException) {
                        note(SocketResult.TIMEOUT);
                    }
                    rest(result, wanted ? JobResult.FAILED : JobResult.CANCELED);
                });
    }

    private Work<Boolean> removal(Optional<ListeningSockets> left) {
        return lane.work(
                        "to clean up",
                        () -> {
                            left.ifPresent(ManagedSocket::remove);
                            return true;
                        })
                .evenIfLate()
                .within(ManagerLimits.SOCKET_PATIENCE.duration());
    }

    private static void remove(ListeningSockets left) {
        try {
            left.removeIfWanted();
        } finally {
            left.close();
        }
    }

    private void note(SocketResult why) {
        if (result == SocketResult.SUCCESS) {
            result = why;
        }
    }

    private void rest(SocketResult why, JobResult start) {
        note(why);
        stopAnnounced = false;
        if (startAgain && wanted) {
            enter(SubState.DEAD);
            stops.answer(JobResult.DONE);
            begin();
            return;
        }
        if (result == SocketResult.SUCCESS) {
            context.info(name(), "stopped");
            enter(SubState.DEAD);
        } else {
            context.error(name(), "failed: " + result);
            enter(SubState.FAILED);
        }
        ActiveState end = state.active();
        takeNewer();
        starts.answer(start);
        stops.answer(JobResult.DONE); // a restart starts it again
        context.events().settled(name(), end);
    }

    /** When nobody runs the loop any more: lets go of everything. */
    public void abandon() {
        if (sockets.isPresent()) {
            removal(sockets).begin((_, _) -> {});
        }
        sockets = Optional.empty();
    }

    // ---- what others want of it

    /** Duplicates of its descriptors, none while it is not up. */
    public List<PassedDescriptors.Passed> duplicates() {
        return openSockets().stream()
                .map(socket ->
                        new PassedDescriptors.Passed(
                                socket.fd().duplicate(), unit.socket().descriptorName()))
                .toList();
    }

    @Override
    public UnitStatus status() {
        return UnitStatus.of(unit, state, since, result.toString());
    }

    /** The instances that serve its connections. */
    public List<UnitName> instances() {
        return connections.instances();
    }

    @Override
    public UnitTimes times() {
        return times;
    }

    @Override
    public Optional<SocketStatus> socket() {
        return Optional.of(socketStatus());
    }

    public SocketStatus socketStatus() {
        return new SocketStatus(
                name(),
                unit.socket().listens(),
                unit.socket().accept(),
                connections.instances().size(),
                connections.accepted(),
                connections.refused(),
                unit.socket().accept() ? connections.instances() : List.of(serviceName()));
    }
}
