package io.holdfast.core.scope;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.testkit.Needs;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The grace between SIGTERM and SIGKILL, by each mechanism. */
@Timeout(60)
@Needs(cgroup2 = true, root = true)
class ScopeGraceTest {
    private static final Duration LONG = Duration.ofSeconds(50);
    private static final Duration TOO_LONG = Duration.ofDays(9);
    private static final Duration DEADLINE = // a start comes before it
            Duration.ofSeconds(Boolean.getBoolean("holdfast.slow") ? 20 : 4); // emulated

    @TempDir Path folder;

    private static ProcessScope open(ScopeOptions options, Guarantee guarantee) {
        return ProcessScope.open(options, guarantee);
    }

    /** Writes a file once it ignores SIGTERM, and a line to another one when it receives it. */
    private Spawn stubborn() {
        String trap = "exec 2>/dev/null; trap 'echo >> " + folder + "/received' TERM;";
        return Descendants.shell(
                trap + " echo > " + folder + "/ready; while :; do sleep 0.01; done");
    }

    private void awaitReady() {
        Descendants.awaitWritten(folder.resolve("ready"));
    }

    private void awaitSigterm() {
        Descendants.awaitWritten(folder.resolve("received"));
    }

    @ParameterizedTest
    @EnumSource
    void whatEndsBySigtermWithinTheGraceIsNotKilled(Guarantee guarantee) throws Exception {
        Path ready = folder.resolve("ready");
        Spawn trap =
                Descendants.shell(
                        "trap 'exit 5' TERM; echo > " + ready + "; while :; do sleep 0.01; done");
        Child polite;
        try (ProcessScope scope = open(ScopeOptions.standard().withGrace(LONG), guarantee)) {
            polite = scope.start(trap);
            awaitReady();
        }
        try (polite) {
            assertThat(polite.await()).isEqualTo(new Exit.Exited(5));
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatIgnoresSigtermIsKilledAfterTheGrace(Guarantee guarantee) throws Exception {
        try (ProcessScope scope = open(ScopeOptions.standard(), guarantee);
                Child child = scope.start(stubborn())) {
            awaitReady();
            scope.end(Duration.ofMillis(30));
            assertThat(child.await()).isEqualTo(new Exit.Killed(Signal.KILL, false));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aKillDoesNotWaitForTheGraceOfAnotherThread(Guarantee guarantee) throws Exception {
        try (ProcessScope scope = open(ScopeOptions.standard(), guarantee);
                Child child = scope.start(stubborn())) {
            awaitReady();
            CompletableFuture<Void> ended = async(() -> scope.end(TOO_LONG));
            awaitSigterm();

            try {
                assertThat(async(scope::kill)).succeedsWithin(LONG);
            } finally {
                boolean _ = child.signal(Signal.KILL); // ends the grace in any case
            }
            assertThat(child.await()).isEqualTo(new Exit.Killed(Signal.KILL, false));
            assertThat(ended).succeedsWithin(LONG);
        }
    }

    @ParameterizedTest
    @EnumSource
    void sigtermIsSentOnlyOnce(Guarantee guarantee) throws Exception {
        try (ProcessScope scope = open(ScopeOptions.standard(), guarantee);
                Child child = scope.start(stubborn())) {
            awaitReady();
            CompletableFuture<Void> ended = async(() -> scope.end(TOO_LONG));
            awaitSigterm();

            scope.end(Duration.ofMillis(200));

            assertThat(child.await()).isEqualTo(new Exit.Killed(Signal.KILL, false));
            assertThat(ended).succeedsWithin(LONG);
        }
        assertThat(folder.resolve("received")).hasContent("\n");
    }

    private static CompletableFuture<Void> async(Runnable action) {
        return CompletableFuture.runAsync(action, task -> Thread.ofVirtual().start(task));
    }

    @ParameterizedTest
    @EnumSource
    void theDeadlineSendsSigtermAndKillsAfterTheGrace(Guarantee guarantee) throws Exception {
        Duration grace = Duration.ofSeconds(3); // for a shell among many to write a line
        ScopeOptions options = ScopeOptions.standard().withGrace(grace).withDeadline(DEADLINE);
        try (ProcessScope scope = open(options, guarantee);
                Child child = scope.start(stubborn())) {
            awaitReady();

            assertThat(child.await()).isEqualTo(new Exit.Killed(Signal.KILL, false));

            awaitSigterm();
            assertThat(scope.isOverdue()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void whatEndsBySigtermAtTheDeadlineIsNotKilled(Guarantee guarantee) throws Exception {
        ScopeOptions options = ScopeOptions.standard().withGrace(LONG).withDeadline(DEADLINE);
        try (ProcessScope scope = open(options, guarantee);
                Child child =
                        scope.start(
                                Descendants.shell(
                                        "trap 'exit 5' TERM; while :; do sleep 0.01; done"))) {
            assertThat(child.await()).isEqualTo(new Exit.Exited(5));
            assertThat(scope.isOverdue()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void anInterruptEndsOnlyTheGrace(Guarantee guarantee) throws Exception {
        Child child;
        try (ProcessScope scope = open(ScopeOptions.standard().withGrace(LONG), guarantee)) {
            child = scope.start(Descendants.shell("trap '' TERM; exec sleep 1000"));
            Thread.currentThread().interrupt();
        }
        assertThat(Thread.interrupted()).isTrue();
        try (child) {
            assertThat(child.await()).isEqualTo(new Exit.Killed(Signal.KILL, false));
        }
    }
}
