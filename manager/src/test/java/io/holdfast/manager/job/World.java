package io.holdfast.manager.job;

import io.holdfast.manager.job.JobRefusedException.Reason;
import io.holdfast.manager.unit.ActiveState;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.UnitName;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.SequencedCollection;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A world for tests of the job engine: units without processes, on a simulated clock.
 *
 * <pre>{@code
 * World world = new World();
 * world.unit("a").startTakes(4);
 * world.unit("b", "After=a");
 * world.start("a");
 * world.start("b");
 * world.advance(4);
 * assertThat(world.events()).containsExactly("a begins", "a active", "b begins", "b active");
 * }</pre>
 */
final class World implements JobEngine.Listener {
    static final int MOST_WAITERS = 100;

    private record Timer(long at, long number, Runnable task) implements Comparable<Timer> {
        @Override
        public int compareTo(Timer other) {
            return at == other.at ? Long.compare(number, other.number) : Long.compare(at, other.at);
        }
    }

    private final Map<String, Fake> units = new LinkedHashMap<>();
    private final Map<String, Map<Dependency, Set<Fake>>> saidOf = new LinkedHashMap<>();
    private final PriorityQueue<Timer> timers = new PriorityQueue<>();
    private final List<String> events = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final List<String> signals = new ArrayList<>();
    private final Map<Long, JobResult> results = new LinkedHashMap<>();
    private long now;
    private long timerNumber;
    JobEngine engine = newEngine();

    private JobEngine newEngine() {
        JobEngine.Timers clock =
                new JobEngine.Timers() {
                    @Override
                    public Runnable after(Duration delay, Runnable task) {
                        Timer timer = at(delay.toSeconds(), task);
                        return () -> timers.remove(timer);
                    }

                    @Override
                    public long now() {
                        return Duration.ofSeconds(World.this.now).toNanos();
                    }
                };
        return new JobEngine(clock, this, MOST_WAITERS, "raise it");
    }

    /** Replaces the engine, as if the manager had been killed; units begin their jobs again. */
    void crash() {
        Map<Fake, JobRecord> records = new LinkedHashMap<>();
        for (UnitJob job : engine.all()) {
            Fake unit = get(job.unit().prefix());
            records.put(unit, engine.recorded(unit).orElseThrow());
        }
        timers.clear();
        engine = newEngine();
        records.forEach(engine::restore);
        engine.run();
    }

    private Timer at(long seconds, Runnable task) {
        Timer timer = new Timer(now + seconds, timerNumber++, task);
        timers.add(timer);
        return timer;
    }

    // ---- units

    /** Makes a unit: {@code unit("b", "After=a c", "Requires=a")}; names are of services. */
    Fake unit(String name, String... lines) {
        Fake unit = new Fake(name);
        units.put(name, unit);
        for (String line : lines) {
            String directive = line.substring(0, line.indexOf('='));
            Dependency kind = dependency(directive);
            for (String other : line.substring(line.indexOf('=') + 1).split(" ")) {
                unit.says.computeIfAbsent(kind, _ -> new LinkedHashSet<>()).add(other);
                saidOf.computeIfAbsent(other, _ -> new EnumMap<>(Dependency.class))
                        .computeIfAbsent(kind, _ -> new LinkedHashSet<>())
                        .add(unit);
            }
        }
        return unit;
    }

    private static Dependency dependency(String directive) {
        for (Dependency kind : Dependency.values()) {
            if (kind.directive().equals(directive)) {
                return kind;
            }
        }
        throw new IllegalArgumentException(directive);
    }

    Fake get(String name) {
        Fake unit = units.get(name);
        if (unit == null) {
            throw new IllegalArgumentException(name);
        }
        return unit;
    }

    Collection<Fake> units() {
        return units.values();
    }

    // ---- requests

    long start(String name) {
        return request(name, JobType.START, JobMode.REPLACE);
    }

    long stop(String name) {
        return request(name, JobType.STOP, JobMode.REPLACE);
    }

    long restart(String name) {
        return request(name, JobType.RESTART, JobMode.REPLACE);
    }

    /**
     * @return the id of the job, which has begun if it could
     */
    long request(String name, JobType type, JobMode mode) {
        long[] id = new long[1];
        UnitJob job =
                engine.request(
                        get(name),
                        type,
                        mode,
                        result -> {
                            if (id[0] != 0) {
                                results.put(id[0], result);
                            }
                        });
        id[0] = job.id();
        engine.run();
        return job.id();
    }

    /** Returns how a requested job ended. */
    Optional<JobResult> result(long id) {
        return Optional.ofNullable(results.get(id));
    }

    /** Returns {@code a.service/start waiting} for each job. */
    List<String> jobs() {
        return engine.all().stream()
                .map(job -> job.unit().prefix() + "/" + job.type().word() + " " + job.state())
                .toList();
    }

    // ---- time

    void advance(long seconds) {
        long end = now + seconds;
        while (!timers.isEmpty() && timers.peek().at <= end) {
            Timer timer = timers.remove();
            now = timer.at;
            timer.task.run();
            engine.run();
        }
        now = end;
    }

    /** Advances the clock until nothing is under way. */
    void settle() {
        for (int i = 0; !timers.isEmpty() && i < 1_000_000; i++) {
            advance(timers.peek().at - now);
        }
    }

    // ---- what was reported

    /** Returns what units did, in order. */
    List<String> events() {
        return events;
    }

    List<String> notes() {
        return notes;
    }

    /** Returns {@code new a/start}, {@code removed a/start done}. */
    List<String> signals() {
        return signals;
    }

    @Override
    public void jobNew(UnitJob job) {
        signals.add("new " + job.unit().prefix() + "/" + job.type().word());
    }

    @Override
    public void jobChanged(UnitJob job) {}

    @Override
    public void jobRemoved(UnitJob job, JobResult result) {
        signals.add(
                "removed " + job.unit().prefix() + "/" + job.type().word() + " " + result.word());
    }

    @Override
    public void startFailedOutside(JobUnit unit, JobResult result, Optional<JobUnit> cause) {
        String why = cause.map(other -> " of " + other.name().prefix()).orElse("");
        events.add(unit.name().prefix() + " failed outside: " + result.word() + why);
    }

    @Override
    public void note(JobUnit anchor, String line) {
        notes.add(anchor.name().prefix() + ": " + line);
    }

    /** A unit without processes. */
    final class Fake implements JobUnit {
        private final UnitName name;
        private final Map<Dependency, Set<String>> says = new EnumMap<>(Dependency.class);
        private ActiveState state = ActiveState.INACTIVE;
        private long startTakes;
        private long stopTakes;
        private long reloadTakes;
        private JobResult startResult = JobResult.DONE;
        private boolean oneshot;
        private boolean isTarget;
        private boolean allowsIsolate;
        private boolean ignoresIsolate;
        private Optional<JobRefusedException> problem = Optional.empty();
        private Optional<Duration> jobTimeout = Optional.empty();
        private Optional<Duration> jobRunningTimeout = Optional.empty();
        private List<String> triggeredBy = List.of();
        private Optional<Fake> triggers = Optional.empty();
        private boolean isPath;
        private long elapsesAfter;
        private int elapses; // left
        private final Map<Relation, Integer> asked = new EnumMap<>(Relation.class);
        private int generation;
        private Consumer<JobResult> pending = _ -> {};

        private Fake(String name) {
            this.name = UnitName.of(name + ".service");
        }

        Fake startTakes(long seconds) {
            startTakes = seconds;
            return this;
        }

        Fake stopTakes(long seconds) {
            stopTakes = seconds;
            return this;
        }

        Fake reloadTakes(long seconds) {
            reloadTakes = seconds;
            return this;
        }

        Fake startFails() {
            startResult = JobResult.FAILED;
            return this;
        }

        /** Makes it inactive again as soon as its start is done. */
        Fake oneshot() {
            oneshot = true;
            return this;
        }

        Fake target() {
            isTarget = true;
            return this;
        }

        Fake allowsIsolate(boolean yes) {
            allowsIsolate = yes;
            return this;
        }

        Fake ignoresIsolate(boolean yes) {
            ignoresIsolate = yes;
            return this;
        }

        Fake notFound() {
            problem = Optional.of(new JobRefusedException(Reason.NO_SUCH_UNIT, name, "not found."));
            return this;
        }

        Fake badSetting() {
            problem =
                    Optional.of(
                            new JobRefusedException(
                                    Reason.BAD_SETTING, name, "has a bad unit file setting."));
            return this;
        }

        Fake jobTimeout(long seconds) {
            jobTimeout = Optional.of(Duration.ofSeconds(seconds));
            return this;
        }

        Fake jobRunningTimeout(long seconds) {
            jobRunningTimeout = Optional.of(Duration.ofSeconds(seconds));
            return this;
        }

        Fake triggeredBy(String... names) {
            triggeredBy = List.of(names);
            return this;
        }

        /**
         * Makes it a timer: while it is active it starts another unit some seconds after its own
         * start, and after each elapse.
         */
        Fake elapses(Fake other, long seconds, int times) {
            triggers = Optional.of(other);
            elapsesAfter = seconds;
            elapses = times;
            other.triggeredBy = List.of(name.prefix());
            return this;
        }

        /**
         * Makes it a path whose file exists: while it is active it starts another unit after its
         * own start, and whenever that unit has ended.
         */
        Fake watches(Fake other, int times) {
            isPath = true;
            return elapses(other, 0, times);
        }

        private void await() {
            int mine = generation;
            if (triggers.isPresent() && elapses > 0) {
                Timer _ =
                        at(
                                elapsesAfter,
                                () -> {
                                    if (generation == mine && state == ActiveState.ACTIVE) {
                                        trigger(triggers.orElseThrow());
                                    }
                                });
            }
        }

        private void trigger(Fake other) {
            elapses--;
            events.add(name.prefix() + " triggers");
            try {
                long _ = World.this.start(other.name.prefix());
            } catch (JobRefusedException e) {
                notes.add(name.prefix() + ": " + e.getMessage());
            }
            if (!isPath) {
                await();
            }
        }

        /** Returns how often its units of that relation were asked for. */
        int asked(Relation relation) {
            return asked.getOrDefault(relation, 0);
        }

        /** Enters a state without a job. */
        void is(ActiveState now) {
            generation++;
            enter(now);
            JobResult how = now == ActiveState.FAILED ? JobResult.FAILED : JobResult.DONE;
            Consumer<JobResult> callback = pending;
            pending = _ -> {};
            callback.accept(how);
            engine.run();
        }

        private void enter(ActiveState now) {
            if (state != now) {
                state = now;
                events.add(name.prefix() + " " + now.word());
                engine.stateChanged(this, now);
                if (now == ActiveState.ACTIVE) {
                    await();
                } else if (now == ActiveState.INACTIVE || now == ActiveState.FAILED) {
                    triggeredBy().stream().filter(other -> other.isPath).forEach(Fake::await);
                }
            }
        }

        @Override
        public UnitName name() {
            return name;
        }

        @Override
        public ActiveState activeState() {
            return state;
        }

        @Override
        public Optional<JobRefusedException> problem(JobType type) {
            return type == JobType.STOP ? Optional.empty() : problem;
        }

        @Override
        public boolean isApplicable(JobType type) {
            return type != JobType.RELOAD || !isTarget;
        }

        @Override
        public SequencedCollection<Fake> related(Relation relation) {
            asked.merge(relation, 1, Integer::sum);
            LinkedHashSet<Fake> related = new LinkedHashSet<>();
            for (Dependency kind : relation.own()) {
                for (String other : says.getOrDefault(kind, Set.of())) {
                    Fake unit = units.get(other);
                    if (unit != null) {
                        related.add(unit);
                    }
                }
            }
            Map<Dependency, Set<Fake>> said = saidOf.getOrDefault(name.prefix(), Map.of());
            for (Dependency kind : relation.others()) {
                related.addAll(said.getOrDefault(kind, Set.of()));
            }
            return related;
        }

        @Override
        public Collection<Fake> loaded() {
            return units.values();
        }

        @Override
        public Collection<Fake> triggeredBy() {
            return triggeredBy.stream().map(World.this::get).toList();
        }

        @Override
        public boolean allowsIsolate() {
            return allowsIsolate;
        }

        @Override
        public boolean ignoresIsolate() {
            return ignoresIsolate;
        }

        @Override
        public Optional<Duration> jobTimeout() {
            return jobTimeout;
        }

        @Override
        public Optional<Duration> jobRunningTimeout() {
            return jobRunningTimeout;
        }

        @Override
        public boolean isReadyFor(JobType type) {
            return switch (type) {
                case START -> state != ActiveState.DEACTIVATING;
                case RELOAD -> state != ActiveState.RELOADING && state != ActiveState.ACTIVATING;
                default -> true;
            };
        }

        @Override
        public void withdrawn(JobType type) {
            if (type.isStopping()) {
                events.add(name.prefix() + " " + type.word() + " withdrawn");
            }
        }

        @Override
        public void begin(JobType type, Consumer<JobResult> done) {
            events.add(name.prefix() + " " + (type.isStopping() ? "stops" : type.word() + "s"));
            pending = done;
            switch (type) {
                case START -> start(done);
                case STOP, RESTART -> {
                    if (state == ActiveState.INACTIVE || state == ActiveState.FAILED) {
                        done.accept(JobResult.DONE);
                    } else {
                        enter(ActiveState.DEACTIVATING);
                        later(stopTakes, () -> end(ActiveState.INACTIVE, JobResult.DONE, done));
                    }
                }
                case RELOAD -> {
                    if (state == ActiveState.ACTIVE || state == ActiveState.RELOADING) {
                        enter(ActiveState.RELOADING);
                        later(reloadTakes, () -> end(ActiveState.ACTIVE, JobResult.DONE, done));
                    } else {
                        done.accept(JobResult.INVALID);
                    }
                }
                default -> throw new AssertionError(type);
            }
        }

        private void start(Consumer<JobResult> done) {
            if (state == ActiveState.ACTIVE) {
                done.accept(JobResult.DONE);
                return;
            }
            enter(ActiveState.ACTIVATING);
            ActiveState after =
                    startResult != JobResult.DONE
                            ? ActiveState.FAILED
                            : oneshot ? ActiveState.INACTIVE : ActiveState.ACTIVE;
            later(startTakes, () -> end(after, startResult, done));
        }

        private void end(ActiveState now, JobResult result, Consumer<JobResult> done) {
            enter(now);
            done.accept(result);
        }

        /** Runs a task later, unless something else has begun by then. */
        private void later(long seconds, Runnable task) {
            int mine = ++generation;
            if (seconds == 0) {
                task.run();
            } else {
                Timer _ =
                        at(
                                seconds,
                                () -> {
                                    if (generation == mine) {
                                        task.run();
                                    }
                                });
            }
        }
    }
}
