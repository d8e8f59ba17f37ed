package io.holdfast.manager.socket;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.state.Fields;
import io.holdfast.manager.exec.PassedDescriptors;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.ManagerLimits;
import io.holdfast.manager.loop.Work;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.run.UnitRun;
import io.holdfast.manager.runtime.JobWaiters;
import io.holdfast.manager.runtime.ManagedUnit;
import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.RunPhase;
import io.holdfast.manager.runtime.StartChecks;
import io.holdfast.manager.runtime.StartLimit;
import io.holdfast.manager.runtime.UnitDefinition;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.section.SocketOption;
import io.holdfast.manager.unit.section.SocketUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.view.MountStatus;
import io.holdfast.manager.view.SocketStatus;
import io.holdfast.manager.view.UnitChecks;
import io.holdfast.manager.view.UnitStatus;
import io.holdfast.manager.view.UnitTimes;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A socket at run time: the state machine of systemd.socket(5).
 *
 * <pre>
 *   start       dead ─▶ dead-checking ─▶ start-pre ─▶ start-chown ─▶ start-post ─▶ listening
 *               failed ─▶ failed-checking ─▶ start-pre
 *   traffic     listening ─▶ running ─▶ listening
 *   stop        listening, running ─▶ stop-pre ─▶ stop-post ─▶ final-sigterm ─▶ dead, failed
 *   late, or stopped while it starts
 *               start-pre, start-post, stop-pre ─▶ stop-pre-sigterm ─▶ stop-pre-sigkill ─▶ stop-post
 *               final-sigterm ─▶ final-sigkill ─▶ dead, failed
 * </pre>
 *
 * While it is listening it watches for traffic. Traffic starts its service; then the socket is
 * running, and no longer watches until the service has ended. Its descriptors stay open all that
 * time, so that no client is lost when a service ends. With {@code Accept=yes} it stays listening,
 * and each connection starts an instance. A state of commands that it does not have is skipped.
 * Used on the event loop; blocking work runs on workers.
 */
public final class ManagedSocket
        implements ManagedUnit, SocketConnections.Owner, SocketCommands.Owner {
    private UnitChecks checks = UnitChecks.NEVER;
    private Optional<String> failure = Optional.empty();
    private final ManagerContext context;
    private final SocketSetup setup;
    private final SocketTraffic traffic;
    private final SocketConnections connections;
    private final SocketCommands commands;
    private final JobWaiters starts = new JobWaiters();
    private final JobWaiters stops = new JobWaiters();
    private final UnitDefinition<SocketUnit> definition;
    private StartLimit triggerLimit;
    private SocketState state = SocketState.DEAD;
    private UnitTimes times = UnitTimes.NEVER;
    private Instant since = Instant.EPOCH;
    private SocketResult result = SocketResult.SUCCESS;
    private Optional<ListeningSockets> sockets = Optional.empty();
    private int discarding; // how often what waits is being discarded
    private List<PassedDescriptors.Passed> closing = List.of(); // for the last commands; owned
    private boolean wanted;
    private boolean stopAnnounced;
    private @Nullable Work<?> preparation; // the work of a start

    public ManagedSocket(ManagerContext context, Unit described) {
        this.context = context;
        this.setup = new SocketSetup(context, described.name());
        SocketUnit unit = (SocketUnit) described;
        this.definition = new UnitDefinition<>(unit);
        this.triggerLimit = new StartLimit(unit.socket().triggerLimit());
        this.traffic =
                new SocketTraffic(context.loop(), unit.socket().pollLimit(), this::trafficOn);
        this.connections = new SocketConnections(context, this);
        this.commands = new SocketCommands(context, described.name(), this);
    }

    @Override
    public SocketUnit unit() {
        return definition.unit();
    }

    @Override
    public SocketUnit newest() {
        return definition.newest();
    }

    private UnitName name() {
        return unit().name();
    }

    private UnitName serviceName() {
        return unit().socket().service();
    }

    @Override
    public ActiveState activeState() {
        return state.active();
    }

    @Override
    public void reloaded(Unit reread) {
        if (reread instanceof SocketUnit socket) {
            definition.reloaded(socket);
            if (state.isDown()) {
                definition.takeNewer();
            }
        }
    }

    @Override
    public void enter(SocketState next) {
        if (state != next) {
            SocketState.TABLE.check(state, next, text -> context.error(name(), text));
            times = times.withTransition(state.active(), next.active());
            state = next;
            since = Instant.now();
            connectionsChanged();
        }
    }

    // ---- jobs

    @Override
    public void start(Consumer<JobResult> done) {
        wanted = true;
        switch (state) {
            case LISTENING, RUNNING -> done.accept(JobResult.DONE);
            case DEAD_CHECKING, FAILED_CHECKING, START_PRE, START_CHOWN, START_POST -> {
                stopAnnounced = false;
                stops.answer(JobResult.CANCELED);
                starts.add(done);
            }
            case STOP_PRE,
                    STOP_PRE_SIGTERM,
                    STOP_PRE_SIGKILL,
                    STOP_POST,
                    FINAL_SIGTERM,
                    FINAL_SIGKILL ->
                    throw new IllegalStateException(name() + " is started while it stops");
            case DEAD, FAILED -> {
                starts.add(done);
                begin();
            }
        }
    }

    private void begin() {
        stopAnnounced = false;
        failure = Optional.empty();
        definition.takeNewer();
        if (!definition.startLimit().tryStart(System.nanoTime())) {
            error("start limit hit; clear it with: holdfast reset-failed " + name());
            context.events().startLimitHit(name());
            becomeInactive(SocketResult.START_LIMIT_HIT, JobResult.FAILED);
            return;
        }
        enter(
                state == SocketState.FAILED
                        ? SocketState.FAILED_CHECKING
                        : SocketState.DEAD_CHECKING);
        preparation = setup.check(unit(), this::checked);
    }

    private void checked(SocketSetup.@Nullable Checks found, @Nullable Exception error) {
        preparation = null;
        StartChecks verdicts = found == null ? null : found.unit();
        if (verdicts != null) {
            checks = verdicts.after(checks);
        }
        if (error instanceof Work.LateException && !wanted) {
            context.warn(name(), "its start is cancelled: " + error.getMessage());
            skip(JobResult.CANCELED);
        } else if (found == null || verdicts == null) {
            boolean late = error instanceof Work.LateException;
            error("cannot check its conditions: " + Work.reason(error));
            becomeInactive(late ? SocketResult.TIMEOUT : SocketResult.RESOURCES, JobResult.FAILED);
        } else if (!wanted) {
            skip(JobResult.CANCELED);
        } else if (!verdicts.conditions().met()) {
            context.notice(name(), verdicts.refusal());
            notStarted(verdicts.refusal());
            skip(JobResult.DONE);
        } else if (!verdicts.assertions().met()) {
            error(verdicts.refusal());
            skip(JobResult.ASSERT);
        } else if (!found.hasService()) {
            error("Service=" + serviceName() + ": there is no such unit");
            skip(JobResult.FAILED);
        } else if (serviceRuns()) {
            error(
                    "service "
                            + serviceName()
                            + " is active without this socket; stop it first, or restart both");
            skip(JobResult.FAILED);
        } else {
            result = SocketResult.SUCCESS;
            commands.begin();
            if (unit().commands().startPre().isEmpty()) {
                open();
            } else {
                enter(SocketState.START_PRE);
                commands.run(unit().commands().startPre(), this::prepared);
            }
        }
    }

    private void prepared(SocketResult how) {
        if (how == SocketResult.SUCCESS) {
            open();
        } else {
            note(how);
            commands.kill(true, this::killed);
        }
    }

    /**
     * Returns whether the service already runs without these sockets, which can no longer be passed
     * to it.
     */
    private boolean serviceRuns() {
        return servicePhase().hasRun();
    }

    private RunPhase servicePhase() {
        return context.events().activation().phaseOf(serviceName());
    }

    private boolean serviceIsUp() {
        return servicePhase().isUp();
    }

    private void open() {
        triggerLimit = new StartLimit(unit().socket().triggerLimit());
        traffic.limit(unit().socket().pollLimit());
        enter(SocketState.START_CHOWN);
        preparation = setup.open(unit(), this::opened);
    }

    private void opened(@Nullable ListeningSockets opened, @Nullable Exception error) {
        preparation = null;
        if (opened == null && !wanted && error instanceof Work.LateException) {
            context.warn(name(), "its start is cancelled: " + error.getMessage());
            notOpened(SocketResult.SUCCESS, JobResult.CANCELED);
        } else if (opened == null) {
            boolean late = error instanceof Work.LateException;
            error("cannot listen: " + Work.reason(error) + holder(error));
            notOpened(late ? SocketResult.TIMEOUT : SocketResult.RESOURCES, JobResult.FAILED);
        } else {
            sockets = Optional.of(opened);
            keep(opened);
            if (!wanted) {
                down(SocketResult.SUCCESS);
            } else if (unit().commands().startPost().isEmpty()) {
                up();
            } else {
                enter(SocketState.START_POST);
                commands.run(unit().commands().startPost(), this::completed);
            }
        }
    }

    private void notOpened(SocketResult why, JobResult start) {
        if (unit().commands().exist()) {
            note(why);
            stopPost();
        } else {
            becomeInactive(why, start);
        }
    }

    private void completed(SocketResult how) {
        switch (how) {
            case SUCCESS -> up();
            case TIMEOUT -> {
                note(how);
                commands.kill(false, () -> down(how));
            }
            default -> down(how);
        }
    }

    private void up() {
        context.info(name(), "listening on " + addresses());
        listen();
        if (state == SocketState.LISTENING) { // otherwise it failed, and down() answers
            starts.answer(JobResult.DONE);
        }
    }

    /** Returns the other socket unit of this manager that already has the address. */
    private String holder(@Nullable Exception error) {
        if (!(error instanceof ErrnoException busy) || busy.errno() != Errno.EADDRINUSE) {
            return "";
        }
        return context.events().units().stream()
                .filter(other -> other != this)
                .filter(other ->
                        other instanceof ManagedSocket socket && socket.sharesAddress(unit()))
                .map(other -> "; " + other.unit().name() + " listens there")
                .findFirst()
                .orElse("");
    }

    /** Returns whether it listens on an address of another socket. */
    private boolean sharesAddress(SocketUnit other) {
        return sockets.isPresent()
                && unit().socket().listens().stream().anyMatch(other.socket().listens()::contains);
    }

    private String addresses() {
        return String.join(
                ", ",
                unit().socket().listens().stream().map(one -> one.address().toString()).toList());
    }

    @Override
    public void announceStop() {
        if (!state.isDown()) {
            stopAnnounced = true;
            traffic.ignore();
        }
    }

    @Override
    public void withdrawStop() {
        boolean announced = stopAnnounced;
        stopAnnounced = false;
        if (announced && state == SocketState.LISTENING) {
            listen();
        }
    }

    @Override
    public void stop(Consumer<JobResult> done) {
        wanted = false;
        switch (state) {
            case DEAD, FAILED -> done.accept(JobResult.DONE);
            case STOP_PRE,
                    STOP_PRE_SIGTERM,
                    STOP_PRE_SIGKILL,
                    STOP_POST,
                    FINAL_SIGTERM,
                    FINAL_SIGKILL ->
                    stops.add(done);
            case START_PRE, START_POST -> {
                stops.add(done);
                commands.kill(false, this::stopPost);
            }
            case DEAD_CHECKING, FAILED_CHECKING, START_CHOWN -> {
                stops.add(done); // checked when the preparation is over
                if (preparation != null) {
                    preparation.limit(ManagerLimits.KILL_TIMEOUT.duration());
                }
            }
            case LISTENING, RUNNING -> {
                stops.add(done);
                down(SocketResult.SUCCESS);
            }
        }
    }

    @Override
    public void resetFailed() {
        definition.startLimit().reset();
        triggerLimit.reset();
        if (state.active() == ActiveState.FAILED) {
            result = SocketResult.SUCCESS;
            enter(state == SocketState.FAILED ? SocketState.DEAD : SocketState.DEAD_CHECKING);
        }
    }

    @Override
    public Optional<Duration> mayStartIn() {
        return definition.startLimit().hitFor(System.nanoTime());
    }

    // ---- up

    private void listen() {
        boolean flushes =
                state != SocketState.LISTENING
                        && !unit().socket().accept()
                        && unit().socket().has(SocketOption.FLUSH_PENDING);
        enter(SocketState.LISTENING);
        if (flushes && sockets.isPresent()) {
            discarding++;
            setup.discard(
                    sockets.get(),
                    () -> {
                        discarding--;
                        watchTraffic();
                    });
        } else {
            watchTraffic();
        }
    }

    private void watchTraffic() {
        if (state != SocketState.LISTENING || stopAnnounced || discarding > 0) {
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
        if (state != SocketState.LISTENING) {
            traffic.ignore();
        } else if (unit().socket().accept()) {
            connections.accept(socket);
        } else if (serviceIsUp()) {
            attend(); // started by another request, and has the descriptors
        } else if (mayTrigger()) {
            attend();
            context.info(serviceName(), "is started for traffic on " + name());
            context.events().activation().start(name(), serviceName(), Map.of(), this::startedFor);
        }
    }

    @Override
    public boolean mayTrigger() {
        if (triggerLimit.tryStart(System.nanoTime())) {
            return true;
        }
        fail(
                SocketResult.TRIGGER_LIMIT_HIT,
                "trigger limit hit by starts of "
                        + serviceName()
                        + " (TriggerLimitBurst="
                        + unit().socket().triggerLimit().burst()
                        + "): no longer listening");
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

    /** Leaves the traffic to the service. */
    private void attend() {
        traffic.ignore();
        enter(SocketState.RUNNING);
    }

    /** Handles that the start that it requested is over. */
    private void startedFor(boolean begun) {
        if (!begun) {
            if (state.active() == ActiveState.ACTIVE) {
                fail(SocketResult.RESOURCES, "cannot start " + serviceName());
            }
        } else if (state == SocketState.RUNNING && !serviceIsUp()) {
            listen();
        }
    }

    /** Listens again when its service has ended; fails if the service was started too often. */
    @Override
    public void triggeredChanged(ManagedUnit service) {
        if (state.active() != ActiveState.ACTIVE
                || unit().socket().accept()
                || !unit().triggers(service.unit())) {
            return;
        }
        if (service.mayStartIn().isPresent()) {
            fail(
                    SocketResult.SERVICE_START_LIMIT_HIT,
                    serviceName() + ": start limit hit: no longer listening");
            return;
        }
        switch (service.phase()) {
            case DOWN, WAITING -> listen();
            case RUNNING -> attend();
            default -> {}
        }
    }

    // ---- when the manager is killed

    private String key() {
        return "listen " + name();
    }

    private void keep(ListeningSockets opened) {
        context.survival()
                .keepClosable(key(), opened.all().stream().map(ListeningSocket::fd).toList());
    }

    @Override
    public Optional<Fields> record() {
        if (state == SocketState.DEAD) {
            return Optional.empty();
        }
        Fields fields =
                new Fields()
                        .put("state", state.name())
                        .put("since", since.toEpochMilli())
                        .put("wanted", wanted)
                        .put("result", result.name())
                        .put("failure", failure.orElse(""))
                        .put("times", times.toString());
        commands.record(fields);
        definition.startLimit().record(fields);
        checks.record(fields);
        connections.record(fields);
        return Optional.of(fields);
    }

    @Override
    public Runnable restore(Fields record) {
        SocketState was = record.word("state", SocketState.class);
        since = Instant.ofEpochMilli(record.number("since"));
        wanted = record.is("wanted");
        result = record.word("result", SocketResult.class);
        failure = record.find("failure");
        times = UnitTimes.parse(record.text("times"));
        definition.startLimit().restore(record);
        checks = UnitChecks.of(record);
        connections.restore(record);
        state =
                switch (was) {
                    case DEAD_CHECKING, START_CHOWN -> SocketState.DEAD; // its job begins again
                    case FAILED_CHECKING -> SocketState.FAILED;
                    default -> was;
                };
        commands.restore(record);
        List<Fd> kept = context.survival().take(key());
        boolean isOpen =
                switch (state) {
                    case DEAD, FAILED, START_PRE, FINAL_SIGTERM, FINAL_SIGKILL -> false;
                    default -> true;
                };
        if (isOpen && kept.size() == unit().socket().listens().size()) {
            sockets =
                    Optional.of(
                            ListeningSockets.restored(
                                    unit(), kept, text -> context.warn(name(), text)));
        } else {
            kept.forEach(Fd::close);
        }
        return () -> resume(record);
    }

    private void resume(Fields record) {
        connections.resume();
        switch (state) {
            case LISTENING, RUNNING -> {
                if (sockets.isEmpty()) {
                    fail(
                            SocketResult.RESOURCES,
                            "its sockets were not kept, or its unit file now lists others");
                } else if (state == SocketState.LISTENING || !serviceIsUp()) {
                    listen();
                }
            }
            case START_PRE -> commands.resume(unit().commands().startPre(), record, this::prepared);
            case START_POST ->
                    commands.resume(unit().commands().startPost(), record, this::completed);
            case STOP_PRE -> commands.resume(unit().commands().stopPre(), record, this::stopped);
            case STOP_PRE_SIGTERM, STOP_PRE_SIGKILL -> commands.kill(false, this::stopPost);
            case STOP_POST -> stopPost();
            case FINAL_SIGTERM, FINAL_SIGKILL -> commands.kill(true, this::killed);
            default -> {}
        }
    }

    // ---- down

    @Override
    public void fail(SocketResult why, String text) {
        error(text);
        down(why);
    }

    private void down(SocketResult why) {
        note(why);
        traffic.ignore();
        if (unit().commands().stopPre().isEmpty()) {
            stopPost();
        } else {
            enter(SocketState.STOP_PRE);
            commands.run(unit().commands().stopPre(), this::stopped);
        }
    }

    private void stopped(SocketResult how) {
        note(how);
        if (how == SocketResult.TIMEOUT) {
            commands.kill(false, this::stopPost);
        } else {
            stopPost();
        }
    }

    private void stopPost() {
        enter(SocketState.STOP_POST);
        try {
            closing = passed().list();
        } catch (ErrnoException e) {
            context.warn(unit().name(), "its last commands get no descriptors: " + e.getMessage());
        }
        Optional<ListeningSockets> left = sockets;
        sockets = Optional.empty();
        context.survival().drop(key());
        setup.remove(
                left,
                inTime -> {
                    if (!inTime) {
                        note(SocketResult.TIMEOUT);
                    }
                    commands.run(
                            unit().commands().stopPost(),
                            how -> {
                                note(how);
                                commands.kill(true, this::killed);
                            });
                });
    }

    private void killed() {
        closeLast();
        commands.close();
        becomeInactive(result, wanted ? JobResult.FAILED : JobResult.CANCELED);
    }

    private void closeLast() {
        closing.forEach(each -> each.fd().close());
        closing = List.of();
    }

    @Override
    public void because(String text) {
        error(text);
    }

    @Override
    public void killed(SocketResult how) {
        note(how);
    }

    @Override
    public void late(String text) {
        note(SocketResult.TIMEOUT);
        context.warn(name(), text);
    }

    private void error(String text) {
        context.error(name(), text);
        notStarted(text);
    }

    @Override
    public void notStarted(String why) {
        failure = Optional.of(why);
    }

    private void note(SocketResult why) {
        if (result == SocketResult.SUCCESS) {
            result = why;
        }
    }

    private void becomeInactive(SocketResult why, JobResult start) {
        note(why);
        if (result == SocketResult.SUCCESS) {
            context.info(name(), "stopped");
        } else {
            context.error(name(), "failed: " + result);
        }
        end(result == SocketResult.SUCCESS ? SocketState.DEAD : SocketState.FAILED, start);
    }

    /** Ends a start that did not begin; the socket keeps its former state. */
    private void skip(JobResult start) {
        end(state == SocketState.FAILED_CHECKING ? SocketState.FAILED : SocketState.DEAD, start);
    }

    /** Waiters are taken first: the job of a next start may begin as soon as this state is left. */
    private void end(SocketState end, JobResult start) {
        JobWaiters started = starts.take();
        JobWaiters stopped = stops.take();
        stopAnnounced = false;
        definition.takeNewer();
        enter(end);
        started.answer(start);
        stopped.answer(JobResult.DONE); // also completes the stop of a restart
        context.events().settled(name(), end.active());
    }

    @Override
    public boolean kill(Signal signal, KillWhom whom, OptionalInt value) {
        return commands.signal(signal, whom, value);
    }

    @Override
    public void unloaded() {
        commands.unloaded();
    }

    @Override
    public void abandon() {
        commands.abandon();
        closeLast();
        if (sockets.isPresent()) {
            setup.remove(sockets, _ -> {});
        }
        sockets = Optional.empty();
    }

    // ---- status, and what services get

    /** Returns duplicates of its descriptors; none while it is not up. */
    @Override
    public List<PassedDescriptors.Passed> passedTo(Unit service) {
        return unit().socket().accept() || !unit().triggers(service)
                ? List.of()
                : duplicates(descriptors());
    }

    @Override
    public PassedDescriptors passed() {
        if (!unit().socket().has(SocketOption.PASS_TO_COMMANDS)) {
            return PassedDescriptors.NONE;
        }
        Stream<Fd> last = closing.stream().map(PassedDescriptors.Passed::fd);
        return new PassedDescriptors(
                duplicates(sockets.isPresent() ? descriptors() : last), Map.of());
    }

    private Stream<Fd> descriptors() {
        return openSockets().stream().map(ListeningSocket::fd);
    }

    private List<PassedDescriptors.Passed> duplicates(Stream<Fd> from) {
        String name = unit().socket().descriptorName();
        List<PassedDescriptors.Passed> all = new ArrayList<>();
        try {
            from.forEach(fd -> all.add(new PassedDescriptors.Passed(fd.duplicate(), name)));
        } catch (ErrnoException e) {
            all.forEach(each -> each.fd().close());
            throw e;
        }
        return all;
    }

    @Override
    public UnitStatus status() {
        UnitStatus status =
                UnitStatus.of(unit(), state.active(), state.word(), since, result.toString())
                        .withFailure(failure);
        return commands.run().map(run -> run.describe(status)).orElse(status);
    }

    @Override
    public UnitChecks checks() {
        return checks;
    }

    /** Returns also true while connections remain: they outlive the socket. */
    @Override
    public boolean isKept() {
        return preparation != null || commands.isKept() || !instances().isEmpty();
    }

    /** Returns the instances that serve its connections. */
    private List<UnitName> instances() {
        return connections.instances();
    }

    @Override
    public UnitTimes times() {
        return times;
    }

    @Override
    public Optional<SocketStatus> details() {
        return Optional.of(
                new SocketStatus(
                        name(),
                        unit().socket().listens(),
                        unit().socket().accept(),
                        connections.instances().size(),
                        connections.accepted(),
                        connections.refused(),
                        commands.open().flatMap(UnitRun::control).flatMap(MountStatus::idOf),
                        unit().socket().accept()
                                ? connections.instances()
                                : List.of(serviceName())));
    }
}
