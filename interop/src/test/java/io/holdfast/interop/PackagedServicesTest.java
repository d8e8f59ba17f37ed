package io.holdfast.interop;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.linux.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.JobResult;
import io.holdfast.manager.Manager;
import io.holdfast.manager.ManagerListener;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.UnitStatus;
import io.holdfast.manager.unit.UnitName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Services of the distribution, from the unit files that it ships. */
@Timeout(180)
class PackagedServicesTest {
    private static final UnitName REDIS = UnitName.of("redis-server.service");

    @TempDir private Path folder;
    private final LinkedBlockingQueue<String> events = new LinkedBlockingQueue<>();

    private final ManagerListener listener =
            new ManagerListener() {
                @Override
                public void event(UnitName unit, Level level, String text) {
                    events.add(unit + ": " + text);
                }

                @Override
                public void output(UnitName unit, String line) {
                    events.add(unit + " | " + line);
                }

                @Override
                public void event(Level level, String text) {
                    events.add(text);
                }
            };

    @Test
    void redisRunsAsItsUnitSaysAndIsRestartedAndStopped() throws Exception {
        assumeTrue(
                Files.exists(Path.of("/usr/lib/systemd/system/redis-server.service")),
                "needs Debian's package redis-server");
        assumeTrue(System.getProperty("user.name").equals("root"), "needs root");
        assumeTrue(Cgroup.isMounted(), "needs cgroup2");
        assumeTrue(!ping().equals("PONG"), "a redis of this machine's own is running");
        // the service reaches the notify socket as a user of its own
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        UnitName slice = UnitName.of("hfinterop" + ProcessHandle.current().pid() + ".slice");
        Manager manager =
                Manager.open(
                        ManagerOptions.system(Map.of())
                                .withRuntimeDirectory(folder.resolve("run"))
                                .withSlice(slice),
                        listener);
        Thread loop = Thread.ofPlatform().start(manager::run);
        try {
            lifeOfRedis(manager);
        } finally {
            var ignored = get(manager.shutdown());
            assertThat(loop.join(Duration.ofSeconds(60))).isTrue();
            manager.close();
        }
        try (Cgroup own = Cgroup.own()) {
            assertThat(own.childNames()).doesNotContain(slice.text());
        }
        assertThat(Path.of("/run/redis")).doesNotExist();
    }

    private void lifeOfRedis(Manager manager) throws Exception {
        assertThat(get(manager.start(List.of(REDIS))))
                .as(() -> String.join("\n", events))
                .containsEntry(REDIS, JobResult.DONE);
        assertThat(ping()).isEqualTo("PONG");
        UnitStatus first = get(manager.status(REDIS));
        String cgroup = first.cgroup().orElseThrow();
        assertThat(first.processes()).hasSize(1);
        try (PidFd main = PidFd.restore(first.mainProcess().orElseThrow())) {
            runsAsTheUnitSays(main);
            assertThat(main.cgroupPath().path()).isEqualTo(cgroup);

            events.clear();
            boolean ignored = main.signal(Signal.KILL);
            awaitEvent("redis-server.service: started");
            // the answer of a start comes when the service has said that it is ready
            assertThat(get(manager.start(List.of(REDIS)))).containsEntry(REDIS, JobResult.DONE);
            UnitStatus second = get(manager.status(REDIS));
            assertThat(second.restarts()).isEqualTo(1);
            try (PidFd again = PidFd.restore(second.mainProcess().orElseThrow())) {
                assertThat(again.id()).isNotEqualTo(main.id());
                assertThat(ping()).isEqualTo("PONG");
                assertThat(get(manager.stop(List.of(REDIS)))).containsEntry(REDIS, JobResult.DONE);
                assertThat(again.isAlive()).isFalse();
            }
        }
        UnitStatus stopped = get(manager.status(REDIS));
        assertThat(stopped.subState()).isEqualTo("dead");
        assertThat(stopped.result()).isEqualTo("success");
        assertThat(Path.of(Cgroup.mountPoint() + cgroup)).doesNotExist();
    }

    private static void runsAsTheUnitSays(PidFd main) throws IOException {
        String status = Files.readString(Path.of("/proc/" + main.pid() + "/status"));
        int uid = (Integer) Files.getAttribute(Path.of("/var/lib/redis"), "unix:uid");
        assertThat(main.isAlive()).as("the status is its own").isTrue();
        assertThat(main.info().credentials().orElseThrow().realUid()).isEqualTo(uid);
        assertThat(status)
                .containsPattern("NoNewPrivs:\\s1\n")
                .containsPattern("CapBnd:\\s0000000000000000\n")
                .containsPattern("Umask:\\s0007\n");
        Path runtime = Path.of("/run/redis");
        assertThat((Integer) Files.getAttribute(runtime, "unix:mode") & 07777).isEqualTo(02755);
        assertThat(Files.getOwner(runtime).getName()).isEqualTo("redis");
    }

    private static String ping() throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("redis-cli", "-t", "5", "ping"));
        try {
            Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
            String answer = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
            assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
            return answer;
        } catch (IOException e) {
            return "no redis-cli: " + e.getMessage();
        }
    }

    private void awaitEvent(String text) throws InterruptedException {
        List<String> seen = new ArrayList<>();
        while (true) {
            String event = events.poll(60, TimeUnit.SECONDS);
            assertThat(event).as(() -> text + " after " + seen).isNotNull();
            if (event.contains(text)) {
                return;
            }
            seen.add(event);
        }
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(60, TimeUnit.SECONDS);
    }
}
