package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.core.Registration;
import io.holdfast.core.Signal;
import io.holdfast.core.process.PidFd;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.runtime.BusNameWatcher;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Services of Type=dbus, which are started when they own a name on the bus. */
@Timeout(120)
class BusServiceTest {
    private static final String NAME = "org.example.A";

    @TempDir private Path folder;
    private Stage stage;
    private Bus bus;

    /** A bus on which the test decides who owns which name. */
    private static final class Bus implements BusNameWatcher {
        private final Manager manager;
        private final List<Watching> watches = new CopyOnWriteArrayList<>();

        @GuardedBy("this")
        private final Map<String, String> owners = new HashMap<>();

        private record Watching(String name, Consumer<Optional<String>> owner) {}

        Bus(Manager manager) {
            this.manager = manager;
        }

        @Override
        public Registration onOwner(String name, Consumer<Optional<String>> owner) {
            Watching watching = new Watching(name, owner);
            watches.add(watching);
            manager.loop().post(() -> reportOwner(watching));
            return () -> watches.remove(watching);
        }

        private void reportOwner(Watching watching) {
            if (watches.contains(watching)) {
                watching.owner().accept(owner(watching.name()));
            }
        }

        private synchronized Optional<String> owner(String name) {
            return Optional.ofNullable(owners.get(name));
        }

        private void change(Runnable change) {
            manager.loop()
                    .post(() -> {
                        change.run();
                        watches.forEach(this::reportOwner);
                    });
        }

        synchronized void owned(String name, String owner) {
            owners.put(name, owner);
            change(() -> {});
        }

        synchronized void released(String name) {
            owners.remove(name);
            change(() -> {});
        }
    }

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        bus = new Bus(stage.manager());
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
        assertThat(bus.watches).isEmpty();
    }

    private void service(String... more) throws Exception {
        stage.service(
                "a",
                "Type=dbus",
                "BusName=" + NAME,
                "ExecStart=" + stage.shell("a", "echo runs\nexec sleep 1000"),
                String.join("\n", more));
    }

    private CompletableFuture<JobResult> starting() throws Exception {
        stage.manager().busNames(bus);
        CompletableFuture<JobResult> start = stage.starting("a");
        stage.happenings().awaitOutput("a.service", "runs");
        return start;
    }

    @Test
    void withoutABusItsStartFails() throws Exception {
        service();
        assertThat(stage.start("a")).isEqualTo(JobResult.INVALID);
        stage.happenings().await("Type=dbus needs a message bus, and this manager has none");
        assertThat(stage.state("a")).isEqualTo("failed/failed resources");
    }

    @Test
    void itIsStartedWhenTheNameIsOwned() throws Exception {
        service();
        CompletableFuture<JobResult> start = starting();
        assertThat(start).isNotDone();
        assertThat(stage.state("a")).isEqualTo("activating/start success");

        bus.owned("org.example.Other", ":1.1");
        assertThat(stage.state("a")).isEqualTo("activating/start success");
        bus.owned(NAME, ":1.2");
        assertThat(Stage.get(start)).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).isEqualTo("active/running success");

        bus.owned(NAME, ":1.3");
        assertThat(stage.state("a")).as("it may change hands").startsWith("active/running");
    }

    @Test
    void itIsStoppedWhenTheNameIsLost() throws Exception {
        service();
        CompletableFuture<JobResult> start = starting();
        bus.owned(NAME, ":1.2");
        assertThat(Stage.get(start)).isEqualTo(JobResult.DONE);

        bus.released(NAME);
        stage.happenings().await("a.service: INFO stopped");
        assertThat(stage.state("a")).isEqualTo("inactive/dead success");
    }

    @Test
    void anOwnerFromBeforeDoesNotCount() throws Exception {
        bus.owned(NAME, ":1.1");
        service("TimeoutStartSec=200ms");
        assertThat(Stage.get(starting())).isEqualTo(JobResult.FAILED);
        stage.happenings().await("is owned already, by :1.1");
        assertThat(stage.state("a")).isEqualTo("failed/failed timeout");
    }

    @Test
    void aNameThatIsNeverOwnedIsATimeout() throws Exception {
        service("TimeoutStartSec=200ms");
        assertThat(Stage.get(starting())).isEqualTo(JobResult.FAILED);
    }

    @Test
    void aStopEndsTheWait() throws Exception {
        service();
        CompletableFuture<JobResult> start = starting();
        assertThat(stage.stop("a")).isEqualTo(JobResult.DONE);
        assertThat(Stage.get(start)).isEqualTo(JobResult.CANCELED);
    }

    @Test
    void eachRunWaitsForTheNameAnew() throws Exception {
        service("Restart=always", "RestartSec=0");
        CompletableFuture<JobResult> start = starting();
        bus.owned(NAME, ":1.2");
        assertThat(Stage.get(start)).isEqualTo(JobResult.DONE);
        try (PidFd main = stage.hold("a")) {
            boolean _ = main.signal(Signal.KILL);
        }
        stage.happenings().await("a.service | runs", 2);
        assertThat(stage.state("a"))
                .as("who had the name before does not count")
                .isEqualTo("activating/start success");
        bus.owned(NAME, ":1.3");
        assertThat(stage.start("a")).isEqualTo(JobResult.DONE);
        assertThat(stage.state("a")).isEqualTo("active/running success");
    }

    @Test
    void aNameThatIsLostWhileCommandsAfterTheStartRunStopsIt() throws Exception {
        Path go = stage.fifo("go");
        service("ExecStartPost=" + stage.shell("post", "echo post\nread _ <>" + go));
        CompletableFuture<JobResult> start = starting();
        bus.owned(NAME, ":1.2");
        stage.happenings().awaitOutput("a.service", "post");
        bus.released(NAME);
        assertThat(stage.state("a")).startsWith("activating/start-post");
        java.nio.file.Files.writeString(go, "\n");
        stage.happenings().await("a.service: INFO stopped");
        assertThat(start.get()).isEqualTo(JobResult.DONE);
    }
}
