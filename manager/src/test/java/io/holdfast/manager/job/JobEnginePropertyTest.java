package io.holdfast.manager.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.manager.unit.ActiveState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * For arbitrary requests on arbitrary units, among them timers and paths, jobs end, once, in order,
 * and leave consistent states. What is not active triggers nothing.
 */
@SameOnEveryKernel
@Timeout(300)
class JobEnginePropertyTest {
    private static final String[] DIRECTIVES = {
        "Requires",
        "Wants",
        "Requisite",
        "BindsTo",
        "PartOf",
        "Conflicts",
        "Upholds",
        "PropagatesStopTo",
        "PropagatesReloadTo"
    };

    static Stream<Gen> cases() {
        return Gen.cases(300);
    }

    private static String name(int number) {
        return "u" + number;
    }

    /**
     * Makes units that are ordered by their numbers, if they are ordered, so that there is no
     * cycle.
     */
    private static World world(Gen gen, int count, boolean cycles) {
        World world = new World();
        for (int i = 0; i < count; i++) {
            List<String> lines = new ArrayList<>();
            for (int j = 0; j < count; j++) {
                if (i != j && gen.chance(0.15)) {
                    lines.add(gen.oneOf(DIRECTIVES) + "=" + name(j));
                }
                boolean ordered = cycles ? i != j : j < i;
                if (ordered && gen.chance(0.3)) {
                    lines.add((cycles && gen.chance(0.5) ? "Before=" : "After=") + name(j));
                }
            }
            World.Fake unit = world.unit(name(i), lines.toArray(String[]::new));
            unit.startTakes(gen.between(0, 3))
                    .stopTakes(gen.between(0, 2))
                    .reloadTakes(gen.between(0, 1))
                    .allowsIsolate(gen.chance(0.5))
                    .ignoresIsolate(gen.chance(0.2));
            if (gen.chance(0.15)) {
                unit.startFails();
            }
            if (gen.chance(0.15)) {
                unit.oneshot();
            }
            if (gen.chance(0.1)) {
                unit.jobTimeout(gen.between(1, 4));
            }
        }
        for (int i = 0; i < count; i++) { // timers and paths
            World.Fake other = world.get(name(gen.between(0, count - 1)));
            if (other != world.get(name(i)) && gen.chance(0.3)) {
                int times = gen.between(1, 8);
                World.Fake _ =
                        gen.chance(0.5)
                                ? world.get(name(i)).elapses(other, gen.between(0, 3), times)
                                : world.get(name(i)).watches(other, times);
            }
        }
        return world;
    }

    private static void act(World world, Gen gen, int count) {
        String unit = name(gen.between(0, count - 1));
        if (gen.chance(0.3)) {
            world.advance(gen.between(0, 2));
        } else if (gen.chance(0.1)) {
            world.get(unit)
                    .is(gen.oneOf(ActiveState.FAILED, ActiveState.INACTIVE, ActiveState.ACTIVE));
        } else if (gen.chance(0.1)) {
            List<UnitJob> jobs = world.engine.all();
            if (!jobs.isEmpty()) {
                boolean _ = world.engine.cancel(gen.oneOf(jobs).id());
                world.engine.run();
            }
        } else {
            JobType type =
                    gen.oneOf(
                            JobType.START,
                            JobType.START,
                            JobType.STOP,
                            JobType.RESTART,
                            JobType.RELOAD,
                            JobType.TRY_RESTART,
                            JobType.RELOAD_OR_START);
            try {
                long _ = world.request(unit, type, gen.oneOf(JobMode.values()));
            } catch (JobRefusedException e) {
                assertThat(e).hasMessageContaining(".");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void everyJobEndsOnceAndASettledSystemHasNone(Gen gen) {
        int count = gen.between(2, 10);
        World world = world(gen, count, gen.chance(0.3));
        for (int i = 0; i < 60; i++) {
            act(world, gen, count);
        }
        world.settle();
        for (World.Fake unit : world.units()) { // units that had to wait for something else
            if (unit.activeState() == ActiveState.DEACTIVATING) {
                unit.is(ActiveState.INACTIVE);
            }
        }
        world.settle();
        assertThat(world.jobs()).isEmpty();
        Map<String, Integer> open = new HashMap<>();
        for (String signal : world.signals()) {
            String unit = signal.replaceAll("^\\w+ |/.*", "");
            int change = signal.startsWith("new ") ? 1 : -1;
            int now = open.merge(unit, change, Integer::sum);
            assertThat(now).as(signal).isBetween(0, 2); // one, and one that does nothing
        }
        assertThat(open.values()).containsOnly(0);
        assertThatOnlyTheActiveTrigger(world.events());
    }

    private static void assertThatOnlyTheActiveTrigger(List<String> events) {
        Map<String, String> states = new HashMap<>();
        for (String event : events) {
            String unit = event.substring(0, event.indexOf(' '));
            String what = event.substring(unit.length() + 1);
            if (what.equals("triggers")) {
                assertThat(states).containsEntry(unit, ActiveState.ACTIVE.word());
            } else if (Arrays.stream(ActiveState.values()).anyMatch(s -> s.word().equals(what))) {
                states.put(unit, what);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void noStartBeginsBeforeThoseThatGoFirstAreOver(Gen gen) {
        int count = gen.between(2, 10);
        World world = world(gen, count, false);
        for (int i = 0; i < 40; i++) {
            act(world, gen, count);
            for (UnitJob job : world.engine.all()) {
                if (job.isRunning() && job.type() != JobType.NOP) {
                    assertThat(world.engine.awaitedBy(job.id()))
                            .as("%s runs; %s", job, world.jobs())
                            .filteredOn(other -> other.id() < job.id() && !wasMerged(other))
                            .isEmpty();
                }
            }
        }
    }

    /** Returns whether an existing job may have become a job that goes first. */
    private static boolean wasMerged(UnitJob job) {
        return job.type() == JobType.RESTART || job.type() == JobType.STOP;
    }

    // ---- many

    private static World chain(int length) {
        World world = new World();
        world.unit(name(0));
        for (int i = 1; i < length; i++) {
            world.unit(name(i), "Requires=" + name(i - 1), "After=" + name(i - 1));
        }
        return world;
    }

    @Test
    void aChainOfTenThousandUnitsFitsOnASmallStack() throws Exception {
        int length = 10_000;
        World world = chain(length);
        List<Throwable> failures = new ArrayList<>();
        Thread thread =
                new Thread(
                        null,
                        () -> {
                            long _ = world.start(name(length - 1));
                            long _ = world.restart(name(0));
                            long _ = world.stop(name(0));
                        },
                        "small stack",
                        256 << 10);
        thread.setUncaughtExceptionHandler((_, failure) -> failures.add(failure));
        thread.start();
        thread.join();
        assertThat(failures).isEmpty();
        assertThat(world.jobs()).isEmpty();
        assertThat(world.get(name(length - 1)).activeState()).isEqualTo(ActiveState.INACTIVE);
    }

    @Test
    void aFailureGoesThroughTenThousandUnits() {
        int length = 10_000;
        World world = chain(length);
        World.Fake _ = world.get(name(0)).startFails();
        long last = world.start(name(length - 1));
        assertThat(world.result(last)).contains(JobResult.DEPENDENCY);
    }
}
