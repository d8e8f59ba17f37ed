package io.holdfast.manager.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.manager.job.JobRefusedException.Reason;
import io.holdfast.manager.unit.ActiveState;
import java.util.List;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@SameOnEveryKernel
@Timeout(60)
class JobEngineTest {
    private final World world = new World();

    private AbstractThrowableAssert<?, ?> assertRefused(
            Reason reason, String unit, JobType type, JobMode mode) {
        return assertThatThrownBy(() -> world.request(unit, type, mode))
                .isInstanceOfSatisfying(
                        JobRefusedException.class,
                        refusal -> assertThat(refusal.reason()).isEqualTo(reason));
    }

    private void assertEnded(long job, JobResult result) {
        assertThat(world.result(job)).contains(result);
    }

    // ---- order across requests

    @Test
    void aStartWaitsForTheStartOfAnotherRequestThatItIsOrderedAfter() {
        world.unit("a").startTakes(4);
        world.unit("b", "After=a");
        world.start("a");
        long b = world.start("b");
        assertThat(world.jobs()).containsExactly("a/start running", "b/start waiting");
        world.advance(4);
        assertThat(world.events())
                .containsExactly(
                        "a starts",
                        "a activating",
                        "a active",
                        "b starts",
                        "b activating",
                        "b active");
        assertEnded(b, JobResult.DONE);
    }

    @Test
    void aStartWaitsForTheStopOfAUnitThatItIsOrderedAgainst() {
        world.unit("a").stopTakes(2);
        world.unit("b", "After=a");
        world.unit("c", "Before=a");
        world.start("a");
        world.stop("a");
        world.start("b");
        world.start("c");
        assertThat(world.jobs())
                .containsExactly("a/stop running", "b/start waiting", "c/start waiting");
        world.advance(2);
        assertThat(world.jobs()).isEmpty();
    }

    @Test
    void beforeHoldsForARunningJobToo() {
        world.unit("a", "Before=b").startTakes(4);
        world.unit("b");
        world.start("a");
        world.start("b");
        assertThat(world.jobs()).containsExactly("a/start running", "b/start waiting");
    }

    /** A look after each end would compare n² units. */
    @Test
    void aTargetLooksRarelyWhetherItsMembersHaveStarted() {
        int units = 100;
        StringBuilder all = new StringBuilder();
        for (int i = 0; i < units; i++) {
            world.unit("u" + i).startTakes(i + 1);
            all.append(i == 0 ? "" : " ").append('u').append(i);
        }
        world.unit("t", "Wants=" + all, "After=" + all);
        world.start("t");
        world.settle();
        assertThat(world.get("t").activeState()).isEqualTo(ActiveState.ACTIVE);
        assertThat(world.get("t").asked(Relation.AFTER)).isLessThan(10);
    }

    @Test
    void stopsGoInReverseOrder() {
        world.unit("a").stopTakes(1);
        world.unit("b", "After=a", "PartOf=a").stopTakes(1);
        world.start("a");
        world.start("b");
        world.events().clear();
        world.stop("a");
        world.settle();
        assertThat(world.events())
                .containsExactly(
                        "b stops",
                        "b deactivating",
                        "b inactive",
                        "a stops",
                        "a deactivating",
                        "a inactive");
    }

    @Test
    void whoWaitsForWhomIsTold() {
        world.unit("a").startTakes(4);
        world.unit("b", "After=a");
        long a = world.start("a");
        long b = world.start("b");
        assertThat(world.engine.waitingFor(a)).extracting(UnitJob::id).containsExactly(b);
        assertThat(world.engine.awaitedBy(b)).extracting(UnitJob::id).containsExactly(a);
        assertThat(world.engine.awaitedBy(a)).isEmpty();
    }

    // ---- what is pulled in

    @Test
    void whatIsRequiredIsStartedAndItsFailureIsADependencyFailure() {
        world.unit("a").startTakes(1).startFails();
        world.unit("b", "Requires=a", "After=a");
        world.unit("c", "Requires=b", "After=b");
        long c = world.start("c");
        world.settle();
        assertEnded(c, JobResult.DEPENDENCY);
        assertThat(world.events())
                .containsExactly(
                        "a starts",
                        "a activating",
                        "a failed",
                        "b failed outside: dependency of a",
                        "c failed outside: dependency of b");
        assertThat(world.signals())
                .containsExactly(
                        "new c/start",
                        "new b/start",
                        "new a/start",
                        "removed a/start failed",
                        "removed b/start dependency",
                        "removed c/start dependency");
    }

    @Test
    void whatIsWantedMayFail() {
        world.unit("a").startFails();
        world.unit("b", "Wants=a missing", "After=a");
        assertEnded(world.start("b"), JobResult.DONE);
    }

    @Test
    void aRequiredUnitThatIsNotThereRefusesTheRequestAndAWantedOneDoesNot() {
        world.unit("missing").notFound();
        world.unit("bad").badSetting();
        world.unit("a", "Requires=missing");
        world.unit("b", "Wants=missing bad a");
        assertRefused(Reason.NO_SUCH_UNIT, "a", JobType.START, JobMode.REPLACE)
                .hasMessage("Unit missing.service not found.");
        assertThat(world.jobs()).isEmpty();
        assertEnded(world.start("b"), JobResult.DONE);
        assertThat(world.notes())
                .containsExactly(
                        "b: start of bad.service is left out: Unit bad.service has a bad unit file"
                                + " setting.");
    }

    @Test
    void aRequisiteMustBeActive() {
        world.unit("a").startTakes(2);
        world.unit("b", "Requisite=a", "After=a");
        assertEnded(world.start("b"), JobResult.DEPENDENCY);
        world.start("a");
        long b = world.start("b");
        assertThat(world.jobs()).containsExactly("a/start running", "b/start waiting");
        world.advance(2);
        assertEnded(b, JobResult.DONE);
    }

    @Test
    void aOneshotThatIsOverDoesNotSatisfyARequisite() {
        world.unit("a").oneshot();
        world.unit("b", "Requisite=a", "Wants=a", "After=a");
        assertEnded(world.start("b"), JobResult.DEPENDENCY);
    }

    @Test
    void aConflictStopsTheOtherFirst() {
        world.unit("a").stopTakes(1);
        world.unit("b", "Conflicts=a", "After=a");
        world.start("a");
        long b = world.start("b");
        assertThat(world.jobs()).containsExactly("b/start waiting", "a/stop running");
        world.advance(1);
        assertEnded(b, JobResult.DONE);
        world.start("a");
        assertThat(world.get("b").activeState())
                .as("whichever of the two says so")
                .isEqualTo(ActiveState.INACTIVE);
    }

    @Test
    void twoRequiredUnitsThatConflictRefuseTheRequest() {
        world.unit("a", "Conflicts=b");
        world.unit("b");
        world.unit("both", "Requires=a b");
        assertRefused(Reason.DEPENDENCY, "both", JobType.START, JobMode.REPLACE)
                .hasMessageContaining("contains conflicting jobs");
    }

    @Test
    void ofTwoWantedUnitsThatConflictTheOneThatSaysSoStays() {
        world.unit("a", "Conflicts=b");
        world.unit("b");
        world.unit("both", "Wants=a b");
        assertEnded(world.start("both"), JobResult.DONE);
        assertThat(world.get("a").activeState()).isEqualTo(ActiveState.ACTIVE);
        assertThat(world.get("b").activeState()).isEqualTo(ActiveState.INACTIVE);
    }

    @Test
    void stoppingTakesDependantsAlong() {
        world.unit("a");
        world.unit("required", "Requires=a");
        world.unit("bound", "BindsTo=a");
        world.unit("part", "PartOf=a");
        world.unit("wanting", "Wants=a");
        for (World.Fake unit : world.units()) {
            world.start(unit.name().prefix());
        }
        assertEnded(world.stop("a"), JobResult.DONE);
        assertThat(world.units())
                .filteredOn(unit -> unit.activeState() == ActiveState.ACTIVE)
                .extracting(unit -> unit.name().prefix())
                .containsExactly("wanting");
    }

    @Test
    void stopsAndReloadsArePropagated() {
        world.unit("a", "PropagatesStopTo=b", "PropagatesReloadTo=b c");
        world.unit("b").reloadTakes(1);
        world.unit("c");
        world.start("a");
        world.start("b");
        world.events().clear();
        world.request("a", JobType.RELOAD, JobMode.REPLACE);
        world.settle();
        assertThat(world.events()).contains("a reloads", "b reloads").doesNotContain("c reloads");
        world.stop("a");
        assertThat(world.get("b").activeState()).isEqualTo(ActiveState.INACTIVE);
    }

    // ---- cycles

    @Test
    void aCycleOfRequiredUnitsIsRefusedByName() {
        world.unit("a", "Requires=b", "After=b");
        world.unit("b", "Requires=a", "After=a");
        assertRefused(Reason.CYCLIC_ORDER, "a", JobType.START, JobMode.REPLACE)
                .hasMessage(
                        "Transaction order is cyclic: a.service/start → b.service/start →"
                                + " a.service/start.");
        assertThat(world.jobs()).isEmpty();
    }

    @Test
    void aCycleIsBrokenWhereAUnitIsOnlyWanted() {
        world.unit("a", "Wants=b", "After=b");
        world.unit("b", "After=c");
        world.unit("c", "After=a");
        world.unit("all", "Wants=a b c");
        assertEnded(world.start("all"), JobResult.DONE);
        assertThat(world.notes()).singleElement().asString().contains("ordering cycle: ");
        assertThat(world.units())
                .filteredOn(unit -> unit.activeState() == ActiveState.ACTIVE)
                .hasSize(3);
    }

    @Test
    void aCycleThroughAJobThatIsThereIsFoundToo() {
        world.unit("a").startTakes(4);
        world.unit("b", "After=a", "Before=c").startTakes(4);
        world.unit("c", "Before=a", "Requires=b");
        world.start("a");
        world.start("b");
        assertRefused(Reason.CYCLIC_ORDER, "c", JobType.START, JobMode.REPLACE);
    }

    // ---- a job meets another of its unit

    @Test
    void whoAsksForTheSameGetsTheSameJob() {
        world.unit("a").startTakes(4);
        long first = world.start("a");
        assertThat(world.start("a")).isEqualTo(first);
        assertThat(world.signals()).containsExactly("new a/start");
    }

    @Test
    void theOppositeTakesItsPlace() {
        world.unit("a").startTakes(4);
        long start = world.start("a");
        long stop = world.stop("a");
        assertEnded(start, JobResult.CANCELED);
        assertEnded(stop, JobResult.DONE);
        assertThat(world.signals())
                .containsExactly(
                        "new a/start",
                        "removed a/start canceled",
                        "new a/stop",
                        "removed a/stop done");
    }

    @Test
    void aRestartTurnsIntoAStart() {
        world.unit("a").startTakes(2).stopTakes(1);
        world.start("a");
        world.advance(2);
        long restart = world.restart("a");
        assertThat(world.jobs()).containsExactly("a/restart running");
        world.advance(1);
        assertThat(world.jobs()).containsExactly("a/start running");
        world.advance(2);
        assertEnded(restart, JobResult.DONE);
        assertThat(world.signals().subList(2, 4))
                .containsExactly("new a/restart", "removed a/start done");
    }

    @Test
    void aRestartTakesDependantsAlongThatAreUp() {
        world.unit("a");
        world.unit("up", "Requires=a", "After=a");
        world.unit("down", "Requires=a", "After=a");
        world.start("up");
        world.events().clear();
        world.restart("a");
        assertThat(world.events())
                .containsSubsequence("up stops", "a stops", "a starts", "up starts")
                .doesNotContain("down starts");
    }

    @Test
    void aStopDuringARestartIsNotLost() {
        world.unit("a").stopTakes(2);
        world.start("a");
        long restart = world.restart("a");
        long stop = world.stop("a");
        world.settle();
        assertEnded(restart, JobResult.CANCELED);
        assertEnded(stop, JobResult.DONE);
        assertThat(world.get("a").activeState()).isEqualTo(ActiveState.INACTIVE);
    }

    @Test
    void aRestartDuringAStartBeginsAnew() {
        world.unit("a").startTakes(4);
        long start = world.start("a");
        assertThat(world.restart("a")).as("the two are one job").isEqualTo(start);
        world.advance(3);
        assertThat(world.result(start)).isEmpty();
        world.advance(1);
        assertEnded(start, JobResult.DONE);
    }

    @Test
    void aReloadDuringAReloadRunsOnceMore() {
        world.unit("a").reloadTakes(2);
        world.start("a");
        long first = world.request("a", JobType.RELOAD, JobMode.REPLACE);
        world.advance(1);
        long second = world.request("a", JobType.RELOAD, JobMode.REPLACE);
        assertThat(second).isEqualTo(first);
        world.advance(1);
        assertThat(world.result(first)).as("it may have read the old file").isEmpty();
        world.advance(2);
        assertEnded(first, JobResult.DONE);
        assertThat(world.events()).filteredOn(event -> event.equals("a reloads")).hasSize(2);
    }

    @Test
    void aStartWhileItStopsByItselfWaitsForThat() {
        world.unit("a");
        world.start("a");
        world.get("a").is(ActiveState.DEACTIVATING);
        long again = world.start("a");
        assertThat(world.jobs()).containsExactly("a/start waiting");
        world.get("a").is(ActiveState.INACTIVE);
        assertEnded(again, JobResult.DONE);
    }

    @Test
    void theTypesThatDependOnTheStateBecomeOthers() {
        world.unit("a");
        assertEnded(world.request("a", JobType.TRY_RESTART, JobMode.REPLACE), JobResult.DONE);
        assertThat(world.get("a").activeState()).isEqualTo(ActiveState.INACTIVE);
        world.request("a", JobType.RELOAD_OR_START, JobMode.REPLACE);
        world.request("a", JobType.RELOAD_OR_START, JobMode.REPLACE);
        world.request("a", JobType.TRY_RESTART, JobMode.REPLACE);
        assertThat(world.events())
                .filteredOn(event -> event.endsWith("s"))
                .containsExactly("a starts", "a reloads", "a stops", "a starts");
    }

    @Test
    void aReloadOfAUnitThatStartsIsItsStart() {
        world.unit("a").startTakes(4);
        long start = world.start("a");
        assertThat(world.request("a", JobType.RELOAD, JobMode.REPLACE)).isEqualTo(start);
        assertThat(world.request("a", JobType.RELOAD_OR_START, JobMode.REPLACE)).isEqualTo(start);
        world.request("a", JobType.TRY_RELOAD, JobMode.REPLACE);
        assertThat(world.jobs()).containsExactly("a/start running");
        world.advance(4);
        assertEnded(start, JobResult.DONE);
        assertThat(world.events()).doesNotContain("a reloads");
    }

    @Test
    void aTargetCannotBeReloaded() {
        world.unit("a").target();
        world.start("a");
        assertRefused(Reason.NOT_APPLICABLE, "a", JobType.RELOAD, JobMode.REPLACE)
                .hasMessage("Job type reload is not applicable for unit a.service.");
    }

    // ---- modes

    @Test
    void failIsRefusedWhereAnotherJobIsInTheWay() {
        world.unit("a").startTakes(4);
        world.start("a");
        assertRefused(Reason.DESTRUCTIVE, "a", JobType.STOP, JobMode.FAIL)
                .hasMessage(
                        "Transaction for a.service/stop is destructive (a.service has 'start' job"
                                + " queued, but 'stop' is included in transaction).");
        assertThat(world.jobs()).containsExactly("a/start running");
    }

    @Test
    void jobsKeepTheirOrderAndTheirIdsUnderTheNextManager() {
        world.unit("a").startTakes(8);
        world.unit("b", "After=a");
        long a = world.start("a");
        long b = world.start("b");
        world.advance(1);
        world.crash();
        assertThat(world.jobs()).containsExactly("a/start running", "b/start waiting");
        assertThat(world.engine.all()).extracting(UnitJob::id).containsExactly(a, b);
        world.settle();
        assertThat(world.events())
                .containsExactly(
                        "a starts",
                        "a activating",
                        "a starts",
                        "a active",
                        "b starts",
                        "b activating",
                        "b active");
        world.unit("c");
        assertThat(world.start("c")).isGreaterThan(b);
    }

    @Test
    void aReloadContinuesUnderTheNextManager() {
        world.unit("a").reloadTakes(8);
        world.start("a");
        world.request("a", JobType.RELOAD, JobMode.REPLACE);
        world.advance(1);
        world.crash();
        assertThat(world.jobs()).containsExactly("a/reload running");
        world.settle();
        assertThat(world.jobs()).isEmpty();
        assertThat(world.events()).endsWith("a reloads", "a reloading", "a reloads", "a active");
    }

    @Test
    void anIrreversibleJobStaysSoUnderTheNextManager() {
        world.unit("a").startTakes(8);
        world.request("a", JobType.START, JobMode.REPLACE_IRREVERSIBLY);
        world.crash();
        assertThatThrownBy(() -> world.stop("a")).isInstanceOf(JobRefusedException.class);
    }

    @Test
    void aJobTimesOutUnderTheNextManagerWhenItWouldHaveBefore() {
        world.unit("a").startTakes(100);
        world.unit("b", "After=a").jobTimeout(5);
        world.start("a");
        world.start("b");
        world.advance(3);
        world.crash();
        world.advance(1);
        assertThat(world.jobs()).containsExactly("a/start running", "b/start waiting");
        world.advance(1);
        assertThat(world.events()).contains("b failed outside: timeout");
    }

    @Test
    void irreversibleJobsGiveWayToNothing() {
        world.unit("a").startTakes(4);
        world.request("a", JobType.START, JobMode.REPLACE_IRREVERSIBLY);
        assertRefused(Reason.DESTRUCTIVE, "a", JobType.STOP, JobMode.REPLACE);
        world.advance(4);
        assertEnded(world.stop("a"), JobResult.DONE);
    }

    @Test
    void aJobThatDoesNothingIsInNobodysWay() {
        world.unit("a").startTakes(4);
        world.unit("b", "After=a");
        world.start("a");
        world.request("b", JobType.START, JobMode.REPLACE_IRREVERSIBLY);
        assertEnded(world.request("b", JobType.TRY_RESTART, JobMode.FAIL), JobResult.DONE);
    }

    @Test
    void isolateKeepsWhatAUnitThatStaysTriggers() {
        world.unit("socket").ignoresIsolate(true);
        world.unit("other");
        world.unit("served").triggeredBy("socket");
        world.unit("stopped").triggeredBy("other");
        world.unit("rescue").allowsIsolate(true);
        for (String name : List.of("socket", "other", "served", "stopped")) {
            world.start(name);
        }
        world.request("rescue", JobType.START, JobMode.ISOLATE);
        assertThat(world.units())
                .filteredOn(unit -> unit.activeState() == ActiveState.ACTIVE)
                .extracting(unit -> unit.name().prefix())
                .containsExactly("socket", "served", "rescue");
    }

    /** One search for all: a search per stopped unit would look at n² jobs. */
    @Test
    void isolateFollowsTheStopsOfEachUnitOnce() {
        int units = 100;
        for (int i = 0; i < units; i++) {
            world.unit("u" + i);
            world.start("u" + i);
        }
        world.unit("follower");
        world.unit("leader", "PropagatesStopTo=follower");
        world.start("follower");
        world.start("leader");
        world.unit("rescue").allowsIsolate(true);
        world.request("rescue", JobType.START, JobMode.ISOLATE);
        assertThat(world.get("u0").asked(Relation.STOP_PROPAGATES_TO)).isEqualTo(1);
        assertThat(world.get("u0").activeState()).isEqualTo(ActiveState.INACTIVE);
        assertThat(world.get("follower").activeState()).isEqualTo(ActiveState.INACTIVE);
    }

    @Test
    void repeatedRequestsTakeNoMoreThanALimitedNumberOfPlaces() {
        world.unit("a").startTakes(1000);
        world.unit("b", "After=a");
        world.start("a");
        for (int i = 0; i < World.MOST_WAITERS; i++) {
            world.start("b");
        }
        assertRefused(Reason.LIMIT, "b", JobType.START, JobMode.REPLACE);
        UnitJob job =
                world.engine.request(
                        world.get("b"), JobType.START, JobMode.REPLACE, JobEngine.NOBODY);
        assertThat(job.isRunning()).isFalse();
        assertThat(world.jobs()).containsExactly("a/start running", "b/start waiting");
    }

    @Test
    void isolateStopsAllElseButWhatIgnoresIt() {
        world.unit("a");
        world.unit("stays").ignoresIsolate(true);
        world.unit("rescue", "Wants=shell").allowsIsolate(true);
        world.unit("shell");
        world.start("a");
        world.start("stays");
        assertRefused(Reason.NO_ISOLATION, "a", JobType.START, JobMode.ISOLATE);
        assertRefused(Reason.INVALID_MODE, "rescue", JobType.STOP, JobMode.ISOLATE);
        world.request("rescue", JobType.START, JobMode.ISOLATE);
        assertThat(world.units())
                .filteredOn(unit -> unit.activeState() == ActiveState.ACTIVE)
                .extracting(unit -> unit.name().prefix())
                .containsExactly("stays", "rescue", "shell");
    }

    @Test
    void flushCancelsAllOtherJobs() {
        world.unit("a").startTakes(4);
        world.unit("b");
        long a = world.start("a");
        world.request("b", JobType.START, JobMode.FLUSH);
        assertEnded(a, JobResult.CANCELED);
    }

    @Test
    void ignoringDependenciesWaitsForNobodyAndPullsNothingIn() {
        world.unit("a").startTakes(4);
        world.unit("b", "After=a", "Requires=c");
        world.unit("c");
        world.start("a");
        assertEnded(world.request("b", JobType.START, JobMode.IGNORE_DEPENDENCIES), JobResult.DONE);
        world.stop("b");
        long b = world.request("b", JobType.START, JobMode.IGNORE_REQUIREMENTS);
        assertThat(world.result(b)).as("the order holds").isEmpty();
        assertThat(world.get("c").activeState()).isEqualTo(ActiveState.INACTIVE);
    }

    @Test
    void restartDependenciesRestartsWhatIsUp() {
        world.unit("a");
        world.unit("b", "PartOf=a", "After=a");
        world.start("b");
        world.events().clear();
        world.request("a", JobType.START, JobMode.RESTART_DEPENDENCIES);
        assertThat(world.events()).containsSubsequence("b stops", "a starts", "b starts");
    }

    @Test
    void aUnitIsToldOfAGrantedJobThatDoesNotBegin() {
        world.unit("a");
        world.unit("b", "Requires=a", "After=a").stopTakes(2);
        world.start("b");
        long stop = world.stop("a");
        assertThat(world.engine.cancel(stop)).isTrue();
        world.settle();
        assertThat(world.events()).containsSubsequence("b deactivating", "a stop withdrawn");
    }

    @Test
    void triggeringStopsTheSocketToo() {
        world.unit("socket");
        world.unit("a").triggeredBy("socket");
        world.start("socket");
        world.start("a");
        world.request("a", JobType.STOP, JobMode.TRIGGERING);
        assertThat(world.get("socket").activeState()).isEqualTo(ActiveState.INACTIVE);
        assertRefused(Reason.INVALID_MODE, "a", JobType.START, JobMode.TRIGGERING);
    }

    // ---- ends

    @Test
    void aJobIsCancelledAndItsDependantsEnd() {
        world.unit("a").startTakes(4);
        world.unit("b", "Requires=a", "After=a");
        long b = world.start("b");
        assertThat(world.engine.cancel(b + 1)).isTrue();
        assertEnded(b, JobResult.DEPENDENCY);
        assertThat(world.engine.cancel(b)).isFalse();
    }

    @Test
    void aJobHasATimeLimit() {
        world.unit("a").startTakes(10);
        world.unit("b", "After=a").jobTimeout(3);
        world.unit("c").startTakes(10).jobRunningTimeout(2);
        world.start("a");
        long b = world.start("b");
        long c = world.start("c");
        world.advance(2);
        assertEnded(c, JobResult.TIMEOUT);
        world.advance(1);
        assertEnded(b, JobResult.TIMEOUT);
        assertThat(world.events()).contains("b failed outside: timeout");
        world.settle();
        assertThat(world.jobs()).isEmpty();
    }

    @Test
    void aWaitingJobWhoseUnitIsThereAlreadyIsDone() {
        world.unit("a").startTakes(4);
        world.unit("b", "After=a");
        world.start("a");
        long b = world.start("b");
        world.get("b").is(ActiveState.ACTIVE);
        assertEnded(b, JobResult.DONE);
    }
}
