package io.holdfast.cli.tour;

import io.holdfast.cli.command.CommandException;
import io.holdfast.cli.command.ManagerSocket;
import io.holdfast.core.file.folder.ScratchFolder;
import io.holdfast.manager.Manager;
import io.holdfast.manager.ManagerOptions;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.log.ManagerListener;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.view.UnitStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A manager with one service, in a private folder and slice. Everything is removed however this JVM
 * ends, except by SIGKILL.
 */
final class TourStage implements AutoCloseable {
    private static final UnitName UNIT = UnitName.of("tour.service");
    private static final long TIMEOUT = 30; // seconds

    /**
     * The folder and the name prefix of the tours' folders. A manager removes those that killed
     * tours have left.
     */
    static final Path TEMPORARY = Path.of(System.getProperty("java.io.tmpdir", "/tmp"));

    static final String PREFIX = "holdfast-tour-";

    private static final String SERVICE =
            """
            [Unit]
            Description=A service of the tour
            [Service]
            ExecStart=/bin/sleep 300
            NoNewPrivileges=yes
            """;

    private final Thread end = new Thread(this::closeQuietly, "holdfast-end");
    private @Nullable ScratchFolder folder;
    private @Nullable Manager manager;
    private @Nullable Thread loop;
    private boolean closed;

    TourStage() {
        Runtime.getRuntime().addShutdownHook(end);
    }

    /** Starts the service. Call it only once. */
    synchronized UnitStatus start()
            throws IOException, InterruptedException, ExecutionException, TimeoutException {
        if (closed) {
            throw new CommandException("interrupted");
        }
        ScratchFolder held = ScratchFolder.make(TEMPORARY, PREFIX);
        folder = held;
        Path made = held.path();
        Path ignored = Files.writeString(made.resolve(UNIT.text()), SERVICE);
        long pid = ProcessHandle.current().pid();
        ManagerOptions options =
                ManagerSocket.ofCaller(false)
                        .withUnits(List.of(made))
                        .withRuntimeDirectory(made)
                        .withSlice(UnitName.of("holdfasttour" + pid + ".slice"))
                        .withProcessOwned();
        Manager opened = Manager.open(options, new Silent());
        manager = opened;
        loop = Thread.ofPlatform().name("holdfast-tour").start(opened::run);
        Map<UnitName, JobResult> started = answer(opened.start(List.of(UNIT)));
        if (started.get(UNIT) != JobResult.DONE) {
            throw new CommandException("the service of the tour did not start");
        }
        return answer(opened.status(UNIT));
    }

    private static <T> T answer(Future<T> future)
            throws InterruptedException, ExecutionException, TimeoutException {
        return future.get(TIMEOUT, TimeUnit.SECONDS);
    }

    private void closeQuietly() {
        try {
            close();
        } catch (IOException | RuntimeException e) {
            // the JVM ends: no caller could handle it
        }
    }

    /** Stops the service, and removes the folder and the slice. */
    @Override
    public synchronized void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        try {
            if (manager != null && loop != null) {
                var ignored = answer(manager.shutdown());
                loop.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            throw new CommandException("the service of the tour did not stop", e);
        } finally {
            if (manager != null) {
                manager.close();
            }
            if (folder != null) {
                remove(folder.path());
                folder.close();
            }
        }
        if (!Thread.currentThread().equals(end)) {
            forget();
        }
    }

    private void forget() {
        try {
            boolean ignored = Runtime.getRuntime().removeShutdownHook(end);
        } catch (IllegalStateException e) {
            // the hook is running
        }
    }

    private static void remove(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    /** Prints nothing, because the tour prints what matters. */
    private static final class Silent implements ManagerListener {
        @Override
        public void event(UnitName unit, Level level, String text) {}

        @Override
        public void output(UnitName unit, String line) {}

        @Override
        public void event(Level level, String text) {}
    }
}
