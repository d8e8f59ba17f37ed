package io.holdfast.interop;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.Manager;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.UnitStatus;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
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
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Services of the distribution, from the unit files that it ships. */
@Timeout(180)
class PackagedServicesTest {
    private static final int CONNECTS = 3000;
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

    /** The test code that runs with a manager. */
    private interface Life {
        void of(Manager manager) throws Exception;
    }

    /** Runs a manager, and checks that it leaves nothing behind. */
    private void withManager(Life life) throws Exception {
        // services reach the notify socket as different users
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        UnitName slice = UnitName.of("hfinterop" + ProcessHandle.current().pid() + ".slice");
        Manager manager =
                Manager.open(
                        ManagerOptions.system(Map.of())
                                .withRuntimeDirectory(folder.resolve("run"))
                                .withSlice(slice)
                                .withUnits(List.of(folder)),
                        listener);
        Thread loop = Thread.ofPlatform().start(manager::run);
        try {
            life.of(manager);
        } finally {
            var ignored = get(manager.shutdown());
            assertThat(loop.join(Duration.ofSeconds(60))).isTrue();
            manager.close();
        }
        try (Cgroup own = Cgroup.own()) {
            assertThat(own.childNames()).doesNotContain(slice.text());
        }
    }

    private static void assumePackage(String unit, String name) {
        assumeTrue(
                Files.exists(Path.of("/usr/lib/systemd/system/" + unit)),
                "needs Debian's package " + name);
        assumeTrue(System.getProperty("user.name").equals("root"), "needs root");
        assumeTrue(Cgroup.isMounted(), "needs cgroup2");
    }

    /** Writes settings for the test alone, as a drop-in. */
    private void dropIn(String unit, String... lines) throws IOException {
        Path directory = Files.createDirectories(folder.resolve(unit + ".d"));
        Path ignored =
                Files.writeString(
                        directory.resolve("test.conf"),
                        "[Service]\n" + String.join("\n", lines) + "\n");
    }

    @Test
    void redisRunsAsItsUnitSaysAndIsRestartedAndStopped() throws Exception {
        assumePackage("redis-server.service", "redis-server");
        assumeTrue(!ping().equals("PONG"), "a redis of this machine's own is running");
        withManager(this::lifeOfRedis);
        assertThat(Path.of("/run/redis")).doesNotExist();
    }

    @Test
    void memcachedIsRestartedAndStopped() throws Exception {
        assumePackage("memcached.service", "memcached");
        int port = freePort();
        Path configuration = folder.resolve("memcached.conf");
        Path ignored =
                Files.writeString(
                        configuration, "-m 16\n-p " + port + "\n-u memcache\n-l 127.0.0.1\n");
        UnitName memcached = UnitName.of("memcached.service");
        dropIn(
                memcached.text(),
                "ExecStart=",
                "ExecStart=/usr/share/memcached/scripts/systemd-memcached-wrapper " + configuration,
                "BindReadOnlyPaths=" + configuration); // PrivateTmp= would hide it
        withManager(manager ->
                lifeOf(
                        manager,
                        memcached,
                        () -> assertThat(exchange(port, "version\r\n")).startsWith("VERSION ")));
    }

    @Test
    void cronIsRestartedAndStopped() throws Exception {
        assumePackage("cron.service", "cron");
        assumeTrue(!Files.exists(Path.of("/run/crond.pid")), "a cron of this machine's own runs");
        try {
            withManager(manager -> lifeOf(manager, UnitName.of("cron.service"), () -> {}));
        } finally {
            boolean ignored = Files.deleteIfExists(Path.of("/run/crond.pid"));
        }
    }

    @Test
    void nginxForksAndIsReloadedRestartedAndStopped() throws Exception {
        assumePackage("nginx.service", "nginx-light");
        assumeTrue(!Files.exists(Path.of("/run/nginx.pid")), "an nginx of this machine's own runs");
        int port = freePort();
        Path pages = Files.createDirectories(folder.resolve("pages"));
        Path ignored = Files.writeString(pages.resolve("index.html"), "by its pidfd\n");
        Path configuration = folder.resolve("nginx.conf");
        ignored =
                Files.writeString(
                        configuration,
                        """
                        user www-data;
                        worker_processes 2;
                        pid /run/nginx.pid;
                        error_log %1$s/error.log;
                        events { worker_connections 64; }
                        http {
                            access_log off;
                            server { listen 127.0.0.1:%2$d; root %1$s/pages; }
                        }
                        """
                                .formatted(folder, port));
        String nginx = "/usr/sbin/nginx -c " + configuration + " ";
        dropIn(
                "nginx.service",
                "Restart=on-failure",
                "ExecStartPre=",
                "ExecStartPre=" + nginx + "-t -q -g 'daemon on; master_process on;'",
                "ExecStart=",
                "ExecStart=" + nginx + "-g 'daemon on; master_process on;'",
                "ExecReload=",
                "ExecReload=" + nginx + "-g 'daemon on; master_process on;' -s reload");
        UnitName unit = UnitName.of("nginx.service");
        Check page =
                () ->
                        assertThat(exchange(port, "GET / HTTP/1.0\r\n\r\n"))
                                .endsWith("by its pidfd\n");
        withManager(manager -> {
            lifeOf(manager, unit, page);
            assertThat(get(manager.start(List.of(unit)))).containsEntry(unit, JobResult.DONE);
            UnitStatus before = get(manager.status(unit));
            assertThat(get(manager.reload(List.of(unit)))).containsEntry(unit, JobResult.DONE);
            UnitStatus after = get(manager.status(unit));
            assertThat(after.mainProcess()).isEqualTo(before.mainProcess());
            page.run();
        });
        assertThat(Path.of("/run/nginx.pid")).doesNotExist();
    }

    /** Checks that a service works. */
    private interface Check {
        void run() throws Exception;
    }

    /** Starts a service, kills its main process, and stops it: nothing is left behind. */
    private void lifeOf(Manager manager, UnitName unit, Check works) throws Exception {
        assertThat(get(manager.start(List.of(unit))))
                .as(() -> String.join("\n", events))
                .containsEntry(unit, JobResult.DONE);
        await(works);
        UnitStatus first = get(manager.status(unit));
        String cgroup = first.cgroup().orElseThrow();
        try (PidFd main = PidFd.restore(first.mainProcess().orElseThrow())) {
            assertThat(main.cgroupPath().path()).isEqualTo(cgroup);
            events.clear();
            boolean ignored = main.signal(Signal.KILL);
            awaitEvent(unit + ": its main process killed by SIGKILL");
            var again = get(manager.start(List.of(unit))); // back already, or still starting
            assertThat(again).containsEntry(unit, JobResult.DONE);
            await(works);
            UnitStatus second = get(manager.status(unit));
            try (PidFd next = PidFd.restore(second.mainProcess().orElseThrow())) {
                assertThat(next.id()).isNotEqualTo(main.id());
                assertThat(get(manager.stop(List.of(unit)))).containsEntry(unit, JobResult.DONE);
                assertThat(next.isAlive()).isFalse();
            }
        }
        UnitStatus stopped = get(manager.status(unit));
        assertThat(stopped.activeState().word())
                .as(() -> String.join("\n", events))
                .isEqualTo("inactive");
        assertThat(stopped.processes()).isEmpty();
        assertThat(Path.of(Cgroup.mountPoint() + cgroup)).doesNotExist();
    }

    /** Repeats the check: a service of type simple is started before it serves. */
    private static void await(Check works) throws Exception {
        for (int i = 0; ; i++) {
            try {
                works.run();
                return;
            } catch (ConnectException e) {
                assertThat(i).as("connects in time").isLessThan(CONNECTS);
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
            }
        }
    }

    private static String exchange(int port, String request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(30_000);
            socket.getOutputStream().write(request.getBytes(UTF_8));
            if (request.startsWith("GET")) {
                return new String(socket.getInputStream().readAllBytes(), UTF_8);
            }
            return new String(socket.getInputStream().readNBytes(8), UTF_8);
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
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
            // the job is done when the service has reported that it is ready
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
