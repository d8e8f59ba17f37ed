package io.holdfast.interop.manager;

import io.holdfast.core.process.Cgroup;
import io.holdfast.manager.Manager;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.runtime.BusNameWatcher;
import io.holdfast.manager.systemd1.Systemd1;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Our manager for one case, and systemctl(1) in a mount namespace where it is the system's manager.
 */
final class HoldfastManager implements AutoCloseable {
    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final long TIMEOUT = 60; // seconds, less than services take by default

    private final CaseFolder folder;
    private final Path runtime;
    private final UnitName slice;
    private final Manager manager;
    private final Thread thread;
    private final Systemd1 face;
    private final Log log = new Log();
    private String transcript = "";

    private HoldfastManager(CaseFolder folder) {
        this.folder = folder;
        runtime = folder.path().resolve("manager");
        slice =
                UnitName.of(
                        "hfcase%dx%d.slice"
                                .formatted(
                                        ProcessHandle.current().pid(), NUMBER.incrementAndGet()));
        manager =
                Manager.open(
                        ManagerOptions.system(Map.of())
                                .withScope(folder.scope())
                                .withLoadPath(new LoadPath(List.of()))
                                .withUnits(folder.loadPath())
                                .withRuntimeDirectory(runtime)
                                .withSlice(slice),
                        log);
        thread = Thread.ofPlatform().name("manager").start(manager::run);
        face = Systemd1.serve(manager, runtime);
    }

    /** Runs a case in an empty folder. */
    static String transcript(UnitCase one, Path path, int polls) throws Exception {
        CaseFolder folder = new CaseFolder(path, path.toString());
        folder.writeBase();
        folder.write(one, polls);
        try (HoldfastManager manager = new HoldfastManager(folder)) {
            if (one.usesBus()) {
                BusNameWatcher _ = manager.face.follow("unix:path=" + path.resolve("bus"));
            }
            manager.run();
            return manager.transcript;
        }
    }

    private void run() throws IOException, InterruptedException {
        String script =
                """
                cd "$1" && mkdir -p /etc/systemd
                mount --bind etc/systemd /etc/systemd
                mount --bind run /run
                mount --bind lib /var/lib
                cd / && ln -s "$2/systemd/private" /run/systemd/private
                systemctl start default.target && exec sh "$1/$3"
                """;
        transcript =
                folder.contracted(
                        Shell.run(
                                List.of(
                                        "unshare",
                                        "--mount",
                                        "sh",
                                        "-c",
                                        script,
                                        "sh",
                                        folder.path().toString(),
                                        runtime.toString(),
                                        CaseFolder.SCRIPT)));
    }

    /** Ends the manager in order; nothing of it may be left. */
    @Override
    public void close() {
        face.close();
        try {
            var _ = manager.shutdown().get(TIMEOUT, TimeUnit.SECONDS);
            if (!thread.join(Duration.ofSeconds(TIMEOUT))) {
                throw new TimeoutException();
            }
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError("the manager does not end after\n" + transcript + log, e);
        } finally {
            manager.close();
        }
        if (manager.loop().errors() > 0) {
            throw new AssertionError("a handler of the manager failed after\n" + transcript + log);
        }
        try (Cgroup own = Cgroup.own()) {
            if (own.childNames().contains(slice.text())) {
                throw new AssertionError("the slice is left after\n" + transcript + log);
            }
        }
    }

    /** Collects the manager's log lines. */
    private static final class Log implements ManagerListener {
        private final ConcurrentLinkedQueue<String> lines = new ConcurrentLinkedQueue<>();

        @Override
        public void event(UnitName unit, Level level, String text) {
            boolean _ = lines.add(unit + ": " + level + " " + text);
        }

        @Override
        public void output(UnitName unit, String line) {
            boolean _ = lines.add(unit + " | " + line);
        }

        @Override
        public void event(Level level, String text) {
            boolean _ = lines.add(level + " " + text);
        }

        @Override
        public String toString() {
            return String.join("\n", lines);
        }
    }
}
