package io.holdfast.cli.service;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.cli.CommandProcess;
import io.holdfast.cli.Invocation;
import io.holdfast.cli.up.KeeperTest;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.varlink.json.Json;
import io.holdfast.varlink.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests how the timers of a running manager are shown, also after the manager was killed. */
@Timeout(180)
@Needs(root = true, cgroup2 = true)
class TimersCommandTest {
    private static final long SECOND = 1_000_000;

    @TempDir private Path folder;

    @BeforeEach
    void layOut() throws IOException {
        Files.setAttribute(folder, "unix:mode", 01777);
        Files.writeString(
                folder.resolve("hf-s.service"),
                "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/true\n");
        timer("hf-day", "OnActiveSec=1ms\nOnUnitActiveSec=1d\nAccuracySec=1us");
        timer("hf-year", "OnCalendar=*-12-24 18:00:00 UTC");
    }

    private void timer(String name, String lines) throws IOException {
        Files.writeString(
                folder.resolve(name + ".timer"),
                "[Unit]\nDefaultDependencies=no\n[Timer]\nUnit=hf-s.service\n" + lines + "\n");
    }

    private CommandProcess up() throws Exception {
        CommandProcess up =
                CommandProcess.start(
                        "up",
                        "--runtime-dir",
                        folder + "/run",
                        "--slice",
                        "hftimers" + ProcessHandle.current().pid() + ".slice",
                        "--units",
                        folder.toString(),
                        "hf-day.timer",
                        "hf-year.timer");
        up.await("holdfast: ready");
        return up;
    }

    private Invocation command(String... words) {
        return Invocation.of(
                Stream.concat(
                                Stream.of(words[0], "--runtime-dir", folder + "/run"),
                                Stream.of(words).skip(1))
                        .toArray(String[]::new));
    }

    private List<JsonObject> timers() {
        Invocation timers = command("timers", "--json");
        assertThat(timers.err()).isEmpty();
        return JsonObject.class.cast(Json.parse(timers.out())).objects("timers");
    }

    /** Returns a timer that has elapsed. */
    private JsonObject elapsed() {
        Await.until(() ->
                timers().stream()
                        .filter(one -> one.string("name").equals("hf-day.timer"))
                        .anyMatch(one ->
                                one.optionalInteger("last").isPresent()
                                        && one.optionalInteger("next").isPresent()));
        return timers().stream()
                .filter(one -> one.string("name").equals("hf-day.timer"))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void timersAreListedWithTheNextOneFirst() throws Exception {
        try (CommandProcess up = up()) {
            elapsed();
            List<String> lines = command("timers").out().lines().toList();
            assertThat(lines).hasSize(3);
            assertThat(lines.getFirst()).matches("NEXT +LAST +TIMER +STARTS");
            assertThat(lines.get(1)).matches("[-0-9]+ [:0-9]+ .* hf-day\\.timer +hf-s\\.service");
            assertThat(lines.get(2)).matches("[-0-9]+ [:0-9]+ .* - +hf-year\\.timer +hf-s.*");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }

    @Test
    void aTimerGoesOnAfterTheManagerWasKilled() throws Exception {
        try (CommandProcess up = up()) {
            JsonObject before = elapsed();
            KeeperTest.kill(up, 1);
            Await.until(() -> command("status").code() == 0);
            JsonObject after = elapsed();
            assertThat(after.integer("last")).isEqualTo(before.integer("last"));
            assertThat(after.integer("next"))
                    .isBetween(before.integer("next") - SECOND, before.integer("next") + SECOND);
            assertThat(command("status", "hf-year.timer").out()).contains("active (waiting)");
            up.signal("TERM");
            assertThat(up.exitCode()).isZero();
        }
    }
}
