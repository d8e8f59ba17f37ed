package io.holdfast.core.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.linux.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Members;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A scope holds all that is started in it and ends it, by each of its means. */
@Timeout(60)
@Needs(cgroup2 = true, root = true)
class ProcessScopeTest {
    private static final Duration LONG = Duration.ofSeconds(50);

    private static ProcessScope open(Guarantee means) {
        return ProcessScope.open(ScopeOptions.standard().withName("test"), means);
    }

    private static Spawn shell(String script) {
        return Spawn.of("sh", "-c", script).stdin(Stdio.devNull());
    }

    /** The process whose number a script has written to a file; it lives. */
    private static PidFd written(Path file) {
        return Descendants.written(file);
    }

    @ParameterizedTest
    @EnumSource
    void aDescendantThatForkedTwiceAndBeganASessionIsEnded(Guarantee means, @TempDir Path folder)
            throws Exception {
        Path file = folder.resolve("pid");
        PidFd daemon;
        try (ProcessScope scope = open(means)) {
            assertThat(scope.guarantee()).isEqualTo(means);
            try (Child child = scope.start(shell(Descendants.daemon(file)))) {
                assertThat(child.await()).isEqualTo(new Exit.Exited(0));
            }
            daemon = written(file);
            assertThat(daemon.isAlive()).isTrue();
            try (Members members = scope.members()) {
                assertThat(members).contains(daemon);
            }
            assertThat(scope.isEmpty()).isFalse();
        }
        try (daemon) {
            assertThat(daemon.isAlive()).isFalse();
        }
    }
}
