package io.holdfast.manager;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.HostileUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.loop.ManagerLimits;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Services whose worker hangs in the kernel: their program is under a lease of its owner, on which
 * execve(2) waits for the time in fs.lease-break-time, 45 s.
 */
@Timeout(120)
@Needs(
        root = true,
        programs = {"gcc", "setpriv"})
class HangingWorkTest {
    private static final long USER = 65534;

    /** More than the number of workers. */
    private static final int SERVICES = ManagerLimits.WORKERS.intValue() + 2;

    @TempDir private Path folder;
    private Stage stage;
    private HostileUser user;

    @BeforeEach
    void open() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path[] programs = new Path[SERVICES];
        for (int i = 0; i < SERVICES; i++) {
            programs[i] = Files.copy(Path.of("/bin/sleep"), folder.resolve("program" + i));
            HostilePath.give(programs[i], USER);
        }
        user = HostileUser.leasing(USER, programs);
        stage = Stage.in(folder);
        for (int i = 0; i < SERVICES; i++) {
            stage.service(
                    "hangs" + i,
                    "TimeoutStartSec=2s\nTimeoutStopSec=1s\nNotifyAccess=all",
                    "ExecStart=" + programs[i] + " 1000");
        }
        stage.service("other", "ExecStart=/bin/sleep 1000");
    }

    @AfterEach
    void close() throws IOException {
        user.close();
        stage.close();
    }

    /** Waits until its program is about to be executed. */
    private static void awaitSpawn(Stage at, String name) {
        Await.until(() -> {
            try {
                return at.state(name).startsWith("activating/start ");
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    private List<CompletableFuture<JobResult>> startAll() {
        List<CompletableFuture<JobResult>> starts = new ArrayList<>();
        for (int i = 0; i < SERVICES; i++) {
            starts.add(stage.starting("hangs" + i));
        }
        return starts;
    }

    @Test
    void eachFailsInTimeAndOthersStart() throws Exception {
        List<CompletableFuture<JobResult>> starts = startAll();
        assertThat(stage.start("other")).isEqualTo(JobResult.DONE);
        assertThat(stage.status("other").processes()).hasSize(1);
        for (CompletableFuture<JobResult> start : starts) {
            assertThat(Stage.get(start)).isEqualTo(JobResult.FAILED);
        }
        assertThat(stage.happenings().awaitRest("hangs0.service")).contains("failed: timeout");
        assertThat(stage.state("hangs0")).isEqualTo("failed/failed timeout");
        assertThat(stage.happenings().await("has not returned from the kernel"))
                .contains("256 worker threads, 1 of them blocked");

        user.close();
        assertThat(stage.happenings().await("has returned from the kernel")).isNotEmpty();
        assertThat(stage.stop("other")).isEqualTo(JobResult.DONE);
    }

    @Test
    void whatComesTooLateIsKilledAndTheUnitStartsAgain() throws Exception {
        assertThat(stage.start("hangs0")).isEqualTo(JobResult.FAILED);
        CompletableFuture<JobResult> again = stage.starting("hangs0");
        user.close();
        assertThat(Stage.get(again)).isEqualTo(JobResult.DONE);
        assertThat(stage.status("hangs0").processes()).hasSize(1);
    }

    @Test
    void aStopDoesNotWaitForIt() throws Exception {
        CompletableFuture<JobResult> start = stage.starting("hangs1");
        awaitSpawn(stage, "hangs1");
        assertThat(stage.stop("hangs1")).isEqualTo(JobResult.DONE);
        assertThat(Stage.get(start)).isEqualTo(JobResult.CANCELED);
        assertThat(stage.state("hangs1")).isEqualTo("failed/failed timeout");
    }

    /**
     * During a spawn, any user could otherwise make the manager keep the messages that it sends.
     */
    @Test
    @Needs(cgroup2 = true)
    void messagesOfStrangersDoNotWaitForASpawn() throws Exception {
        CompletableFuture<JobResult> start = stage.starting("hangs0");
        awaitSpawn(stage, "hangs0");
        try (UnixSocket stranger =
                UnixSocket.connect(
                        UnixAddress.path(stage.notifySocket()),
                        SocketType.DATAGRAM,
                        Duration.ofSeconds(10))) {
            int _ = stranger.send(ByteBuffer.wrap("STATUS=x".getBytes(UTF_8)));
            assertThat(stage.happenings().await("belongs to no unit")).isNotEmpty();
        }
        assertThat(stage.state("hangs0")).startsWith("activating/start ");
        user.close();
        assertThat(Stage.get(start)).isEqualTo(JobResult.DONE);
    }

    @Test
    void theManagerEndsInTime() throws Exception {
        Stage second = Stage.in(Files.createDirectory(folder.resolve("second")));
        for (int i = 0; i < SERVICES; i++) {
            second.service(
                    "hangs" + i,
                    "TimeoutStartSec=60s\nTimeoutStopSec=1s",
                    "ExecStart=" + folder.resolve("program" + i) + " 1000");
        }
        List<CompletableFuture<JobResult>> starts = new ArrayList<>();
        for (int i = 0; i < SERVICES; i++) {
            starts.add(second.starting("hangs" + i));
        }
        for (int i = 0; i < SERVICES; i++) {
            awaitSpawn(second, "hangs" + i);
        }
        var results = Stage.get(second.manager().shutdown());
        assertThat(results).hasSize(SERVICES);
        for (CompletableFuture<JobResult> start : starts) {
            assertThat(Stage.get(start)).isEqualTo(JobResult.CANCELED);
        }
        user.close();
        second.close();
    }
}
