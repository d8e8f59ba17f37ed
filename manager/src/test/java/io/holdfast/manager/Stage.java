package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.ProcessId;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.process.KillWhom;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.ManagerConfigurationFiles;
import io.holdfast.manager.view.UnitStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * A real manager on its own thread, with units that a test writes, in a runtime folder and a slice
 * of its own. Closing it checks that nothing is left.
 */
final class Stage implements AutoCloseable {
    private static final AtomicInteger NUMBER = new AtomicInteger();
    private static final long PATIENCE = Boolean.getBoolean("holdfast.slow") ? 600 : 60; // s
    private static final long DESCRIPTOR_PATIENCE = TimeUnit.SECONDS.toNanos(PATIENCE);
    private static final long DESCRIPTOR_PAUSE = TimeUnit.MILLISECONDS.toNanos(1);

    private final Path folder;
    private final Path units;
    private final Happenings happenings = new Happenings();
    private final Manager manager;
    private final Thread thread;
    private final UnitName slice;
    private final Set<String> descriptorsBefore;

    private Stage(Path folder, UnitName slice) throws IOException {
        this(folder, slice, options -> options);
    }

    private Stage(Path folder, UnitName slice, UnaryOperator<ManagerOptions> change)
            throws IOException {
        this.folder = folder;
        this.slice = slice;
        units = Files.createDirectories(folder.resolve("units"));
        descriptorsBefore = descriptors();
        manager = Manager.open(change.apply(options(folder.resolve("run"), slice)), happenings);
        thread = Thread.ofPlatform().name("manager").start(manager::run);
    }

    static Stage in(Path folder) throws IOException {
        return new Stage(folder, freshSlice());
    }

    /** Returns a stage whose manager has other options. */
    static Stage with(Path folder, UnaryOperator<ManagerOptions> change) throws IOException {
        return new Stage(folder, freshSlice(), change);
    }

    static Stage in(Path folder, UnitName slice) throws IOException {
        return new Stage(folder, slice);
    }

    /**
     * Returns the stage of a user's manager, whose folders of configuration and runtime data are
     * {@code config} and {@code runtime}.
     */
    static Stage ofUser(Path folder) throws IOException {
        Map<String, String> environment =
                Map.of(
                        "HOME",
                        folder.toString(),
                        "XDG_CONFIG_HOME",
                        folder.resolve("config").toString(),
                        "XDG_RUNTIME_DIR",
                        folder.resolve("runtime").toString());
        return new Stage(
                folder, freshSlice(), options -> options.withScope(ManagerScope.user(environment)));
    }

    static UnitName freshSlice() {
        return UnitName.of(
                "hftest"
                        + ProcessHandle.current().pid()
                        + "x"
                        + NUMBER.incrementAndGet()
                        + ".slice");
    }

    /**
     * Returns options with which only the units of the folder, and a configuration in its folder
     * {@code etc}, are known.
     */
    ManagerOptions options(Path runtimeDirectory, UnitName inSlice) {
        LoadPath path =
                new LoadPath(List.of())
                        .withConfiguration(
                                new ManagerConfigurationFiles(
                                        "system.conf", List.of(folder.resolve("etc"))));
        return ManagerOptions.system(Map.of())
                .withLoadPath(path)
                .withUnits(List.of(units))
                .withRuntimeDirectory(runtimeDirectory)
                .withSlice(inSlice);
    }

    Path folder() {
        return folder;
    }

    Path runtimeDirectory() {
        return folder.resolve("run");
    }

    /** Returns the notify socket of the only run that has one. */
    Path notifySocket() throws IOException {
        try (Stream<Path> sockets = Files.list(runtimeDirectory().resolve("notify-sockets"))) {
            List<Path> all = sockets.toList();
            assertThat(all).hasSize(1);
            return all.getFirst();
        }
    }

    Manager manager() {
        return manager;
    }

    Path unitFolder() {
        return units;
    }

    /** Makes the manager read the units again. */
    CompletableFuture<Integer> reloading() {
        CompletableFuture<Integer> answer = new CompletableFuture<>();
        manager.loop()
                .post(() -> {
                    var _ =
                            manager.view()
                                    .reload()
                                    .whenComplete((count, failure) -> {
                                        if (count == null) {
                                            answer.completeExceptionally(failure);
                                        } else {
                                            answer.complete(count);
                                        }
                                    });
                });
        return answer;
    }

    /** Returns the units that trigger a loaded unit. */
    List<UnitName> triggeredBy(UnitName unit) throws Exception {
        CompletableFuture<List<UnitName>> answer = new CompletableFuture<>();
        manager.loop()
                .post(() -> {
                    ManagerView view = manager.view();
                    answer.complete(view.triggeredBy(view.unit(unit).orElseThrow().unit()));
                });
        return get(answer);
    }

    Happenings happenings() {
        return happenings;
    }

    UnitName slice() {
        return slice;
    }

    /** Writes a unit file. */
    Stage unit(String name, String content) throws IOException {
        Path file = units.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
        return this;
    }

    /** Writes a service with these lines in [Service], without default dependencies. */
    Stage service(String name, String... lines) throws IOException {
        return serviceWith(name, "", lines);
    }

    /** Writes such a service with additional lines in [Unit]. */
    Stage serviceWith(String name, String unitLines, String... lines) throws IOException {
        return unit(
                name + ".service",
                "[Unit]\nDefaultDependencies=no\n"
                        + unitLines
                        + "\n[Service]\n"
                        + String.join("\n", lines)
                        + "\n");
    }

    /** Writes a shell script; returns the words that run it. */
    String shell(String name, String text) throws IOException {
        return "/bin/sh " + Files.writeString(folder.resolve(name + ".sh"), text);
    }

    /** Makes a FIFO; a process that opens it for both directions does not wait for a peer. */
    Path fifo(String name) throws IOException, InterruptedException {
        Path fifo = folder.resolve(name);
        assertThat(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor()).isZero();
        return fifo;
    }

    /**
     * Python that makes {@code client}: a socket whose last close waits, up to 1000 s, for a peer
     * that does not read.
     */
    static final String LINGERING_CLIENT =
            """
            import socket, struct
            server = socket.create_server(("127.0.0.1", 0))
            client = socket.create_connection(server.getsockname())
            peer, _ = server.accept()
            client.setblocking(False)
            try:
                while True:
                    client.send(b"x" * 65536)
            except BlockingIOError:
                pass
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 1000))
            """;

    /** Writes a Python script that can send notify messages; returns the words that run it. */
    String python(String name, String text) throws IOException {
        String common =
                """
                import array, os, signal, socket, subprocess, sys, time
                def notify(text, *fds):
                    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
                    s.connect(os.environ["NOTIFY_SOCKET"])
                    data = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
                    s.sendmsg([text.encode()], data)
                    s.close()
                def say(text):
                    os.write(1, (text + chr(10)).encode())
                """;
        return "/usr/bin/python3 " + Files.writeString(folder.resolve(name + ".py"), common + text);
    }

    static <T> T get(CompletableFuture<T> future)
            throws InterruptedException, ExecutionException, TimeoutException {
        return future.get(PATIENCE, TimeUnit.SECONDS);
    }

    private static UnitName named(String name) {
        return UnitName.ofUserInput(name);
    }

    private static JobResult of(Map<UnitName, JobResult> results, String name) {
        return Objects.requireNonNull(results.get(named(name)));
    }

    CompletableFuture<JobResult> starting(String name) {
        return manager.start(List.of(named(name))).thenApply(all -> of(all, name));
    }

    CompletableFuture<JobResult> stopping(String name) {
        return manager.stop(List.of(named(name))).thenApply(all -> of(all, name));
    }

    JobResult start(String name) throws Exception {
        return get(starting(name));
    }

    JobResult stop(String name) throws Exception {
        return get(stopping(name));
    }

    JobResult restart(String name) throws Exception {
        return of(get(manager.restart(List.of(named(name)))), name);
    }

    boolean kill(String name, Signal signal, boolean all) throws Exception {
        return get(manager.kill(named(name), signal, all ? KillWhom.ALL : KillWhom.MAIN));
    }

    UnitStatus status(String name) throws Exception {
        return get(manager.status(named(name)));
    }

    /** Returns the state as {@code active/running success}. */
    String state(String name) throws Exception {
        UnitStatus status = status(name);
        return status.activeState().word() + "/" + status.subState() + " " + status.result();
    }

    ProcessId main(String name) throws Exception {
        return status(name).mainProcess().orElseThrow();
    }

    /** Keeps units loaded when they have ended, by an active unit that names them. */
    Stage keep(String... names) throws Exception {
        unit(
                "keep.target",
                "[Unit]\nDefaultDependencies=no\nAfter=" + String.join(" ", names) + "\n");
        assertThat(start("keep.target")).isEqualTo(JobResult.DONE);
        return this;
    }

    /**
     * Returns the names of the loaded units in alphabetical order, without slices. A unit is
     * unloaded after the answer that reported its end, and so before the second request.
     */
    List<String> loaded() throws Exception {
        var _ = get(manager.list());
        return get(manager.list()).stream()
                .map(UnitStatus::name)
                .filter(name -> !name.endsWith(".slice"))
                .sorted()
                .toList();
    }

    /** Returns a pidfd of the main process. */
    PidFd hold(String name) throws Exception {
        return PidFd.restore(main(name));
    }

    private static Set<String> descriptors() throws IOException {
        Set<String> found = new TreeSet<>();
        try (Stream<Path> links = Files.list(Path.of("/proc/self/fd"))) {
            for (Path link : (Iterable<Path>) links::iterator) {
                try {
                    String target = Files.readSymbolicLink(link).toString();
                    if (!target.startsWith("/") || target.startsWith("/sys/fs/cgroup")) {
                        found.add(link.getFileName() + " " + target);
                    }
                } catch (java.nio.file.NoSuchFileException e) {
                    // that of the listing itself
                }
            }
        }
        return found;
    }

    static List<Thread> workers() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("holdfast-work"))
                .toList();
    }

    @Override
    public void close() throws IOException {
        try {
            var ignored = get(manager.shutdown());
            assertThat(thread.join(Duration.ofSeconds(PATIENCE))).as("the loop ends").isTrue();
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError("the manager does not shut down", e);
        } finally {
            manager.close();
        }
        assertThat(manager.loop().errors()).as("handlers that have thrown").isZero();
        try (Cgroup own = Cgroup.own()) {
            assertThat(own.childNames()).as("the slice").doesNotContain(slice.text());
        }
        assertThat(runtimeDirectory().resolve("notify-sockets")).doesNotExist();
        // the descriptor of an abandoned child is closed when the child is reaped
        Set<String> left = opened();
        long deadline = System.nanoTime() + DESCRIPTOR_PATIENCE;
        while (!left.isEmpty() && System.nanoTime() < deadline) {
            LockSupport.parkNanos(DESCRIPTOR_PAUSE);
            left = opened();
        }
        assertThat(left).as("descriptors").isEmpty();
    }

    private Set<String> opened() throws IOException {
        Set<String> opened = descriptors();
        opened.removeAll(descriptorsBefore);
        opened.removeIf(Stage::isPlatforms);
        return opened;
    }

    /** Returns whether it belongs to the JVM or to core; those stay. */
    private static boolean isPlatforms(String descriptor) {
        return Stream.of("eventpoll", "eventfd").anyMatch(descriptor::contains);
    }
}
