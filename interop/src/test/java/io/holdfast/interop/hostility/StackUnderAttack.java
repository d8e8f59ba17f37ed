package io.holdfast.interop.hostility;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.interop.hostility.EntryPoint.Answer;
import io.holdfast.interop.stack.RunningProgram;
import io.holdfast.interop.stack.StackStage;
import io.holdfast.varlink.client.VarlinkClient;
import io.holdfast.varlink.json.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The stack as {@code holdfast up} runs it, with some additional units, and its observers: an
 * innocent user, and root, which counts what the daemons hold.
 */
final class StackUnderAttack implements AutoCloseable {
    private static final int INNOCENT = 40_012;

    /** The first of the users that attack; each user attacks once. */
    private static final int ATTACKERS = 40_100;

    private static final AtomicInteger ATTACKS = new AtomicInteger();

    private static final String UNITS = "/run/matrix";

    /** A link to the notify socket of a unit, which only its processes know otherwise. */
    static final String NOTIFY_SOCKET = UNITS + "/notify";

    private static final String NOTIFYING = "notifying.service";
    private static final Duration END_TIMEOUT = Duration.ofSeconds(200);
    private static final int QUIET = 8;
    private static final int TALKATIVE = 4;

    /** The number of lines that a failure shows. */
    private static final int LINES = 30;

    private static final String SYSTEMD = "org.freedesktop.systemd1";
    private static final List<String> OF_BUS =
            List.of(
                    "ActiveConnections",
                    "IncompleteConnections",
                    "BusNames",
                    "MatchRules",
                    "io.holdfast.Bus.PendingReplies");
    private static final List<String> OF_CONNECTION =
            List.of("OutgoingBytes", "OutgoingFDs", "io.holdfast.Bus.PendingReplies");

    private final StackStage stage;
    private final List<String> units = new ArrayList<>();
    private final RunningProgram up;
    private final Map<Daemon, PidFd> processes = new EnumMap<>(Daemon.class);
    private final BusConnection bus;
    private final VarlinkClient manager;
    private final VarlinkClient authority;
    private final UserProcess innocent;
    private final UserProcess root;
    private long ticks;

    private StackUnderAttack(StackStage stage) throws IOException, InterruptedException {
        this.stage = stage;
        writeUnits();
        List<String> words = new ArrayList<>(List.of("--units", UNITS, "holdfast.target"));
        words.addAll(units);
        up = stage.up(words.toArray(String[]::new));
        up.await("holdfast: ready");
        processes.put(Daemon.MANAGER, StackStage.managerBelow(up.process()));
        processes.put(Daemon.BUS, stage.mainProcess("dbus.service"));
        processes.put(Daemon.AUTHORITY, stage.mainProcess("polkit.service"));
        revealNotifySocket();
        bus = BusConnection.connect("unix:path=" + stage.file(StackStage.RUNTIME + "/bus"));
        manager = varlink("io.holdfast.Manager");
        authority = varlink("io.holdfast.Authority");
        innocent = UserProcess.start(stage, INNOCENT);
        root = UserProcess.start(stage, 0);
        warmUp();
    }

    /** Makes the daemons open what they open once and then keep. */
    private void warmUp() throws InterruptedException {
        for (EntryPoint face : Faces.SHARED) {
            requireAnswer(face);
        }
        Answer refused = answerOf(Faces.START); // for which the manager calls the authority
        if (refused.error().isEmpty()) {
            throw new AssertionError("a plain user may start units");
        }
    }

    /** Starts the stack. */
    static StackUnderAttack start() throws IOException, InterruptedException {
        StackStage stage = StackStage.open(StackStage.Accounts.WITH);
        try {
            return new StackUnderAttack(stage);
        } catch (IOException | InterruptedException | RuntimeException | AssertionError e) {
            stage.close();
            throw e;
        }
    }

    private void writeUnits() throws IOException {
        for (String daemon : List.of("dbus", "polkit")) { // the end waits for each of them
            stage.write(
                    UNITS + "/" + daemon + ".service.d/end.conf", "[Service]\nTimeoutStopSec=1\n");
        }
        stage.write(
                UNITS + "/polkit-agent-helper.socket.d/most.conf",
                "[Socket]\nMaxConnectionsPerSource=%d\n".formatted(HelperFace.MOST));
        for (int i = 0; i < QUIET; i++) {
            write("quiet%d.service".formatted(i), "exec sleep infinity");
        }
        write(NOTIFYING, "systemd-notify --ready; exec sleep infinity");
        for (int i = 0; i < TALKATIVE; i++) { // as much as a manager keeps of a unit's output
            write(
                    "talkative%d.service".formatted(i),
                    "printf '%%08000d\\n' $$(seq 250); exec sleep infinity");
        }
    }

    private void revealNotifySocket() throws IOException, InterruptedException {
        try (PidFd main = stage.mainProcess(units.getFirst())) {
            String path = main.proc().environment().get("NOTIFY_SOCKET");
            Path link = stage.file(NOTIFY_SOCKET);
            Files.createSymbolicLink(link, Path.of(Objects.requireNonNull(path)));
        }
    }

    private VarlinkClient varlink(String socket) {
        return VarlinkClient.connect("unix:" + stage.file(StackStage.RUNTIME + "/" + socket));
    }

    private void write(String unit, String script) throws IOException {
        stage.write(
                UNITS + "/" + unit,
                """
                [Unit]
                Description=Something that runs
                StartLimitIntervalSec=0
                [Service]
                Type=%s
                NotifyAccess=all
                ExecStart=/bin/sh -c "%s"
                """
                        .formatted(unit.equals(NOTIFYING) ? "notify" : "exec", script));
        units.add(unit);
    }

    /** Returns the units that run. */
    List<String> units() {
        return units;
    }

    /** Returns the PID of a live process. */
    long pid() {
        return ProcessHandle.current().pid();
    }

    /** Returns a connection of root. */
    BusConnection bus() {
        return bus;
    }

    /** Starts a process that may connect to a face, of a user that has not done so before. */
    UserProcess attacker(EntryPoint face) {
        return face.isForRoot() ? UserProcess.start(stage, 0) : plainUser();
    }

    /** Starts a process of a plain user that has not done anything before. */
    UserProcess plainUser() {
        return UserProcess.start(stage, ATTACKERS + ATTACKS.incrementAndGet());
    }

    /** Returns a file of the stage, as the test sees it. */
    Path file(String path) {
        return stage.file(path);
    }

    private PidFd process(Daemon daemon) {
        return Objects.requireNonNull(processes.get(daemon));
    }

    /** Returns whether the process that was started in the beginning still runs. */
    boolean isAlive(Daemon daemon) {
        return process(daemon).isAlive();
    }

    /** Returns whether no daemon has used processor time since the last call. */
    boolean isQuiet() {
        long now = 0;
        for (PidFd process : processes.values()) {
            now += ticks(process);
        }
        boolean quiet = now - ticks <= 1;
        ticks = now;
        return quiet;
    }

    private static long ticks(PidFd process) {
        try {
            String stat = Files.readString(Path.of("/proc/" + process.pid() + "/stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
        } catch (IOException e) {
            return 0;
        }
    }

    /** Returns the last lines that the daemons have written. */
    String written() {
        List<String> lines =
                up.written().lines().filter(line -> !line.startsWith("talkative")).toList();
        return String.join("\n", lines.subList(Math.max(0, lines.size() - LINES), lines.size()));
    }

    /**
     * Calls a face as an innocent user, over a new connection. If the face never answers, a service
     * reports instead that it is ready.
     *
     * @throws AssertionError if there is no good answer in time
     */
    void requireAnswer(EntryPoint face) throws InterruptedException {
        if (face.question().isEmpty()) {
            restartNotifying();
            return;
        }
        FutureTask<Answer> pending = new FutureTask<>(() -> answerOf(face));
        Thread thread = Thread.ofVirtual().start(pending);
        try {
            Answer answer = pending.get(face.answerTimeout().toMillis(), TimeUnit.MILLISECONDS);
            if (!answer.error().isEmpty()) {
                throw refused(face, answer.error(), null);
            }
        } catch (TimeoutException e) {
            thread.interrupt();
            throw refused(face, "no answer within " + face.answerTimeout(), e);
        } catch (ExecutionException e) {
            throw refused(face, String.valueOf(e.getCause()), e);
        }
    }

    /** Restarts a service as root: its start goes through every step of a start. */
    void restartNotifying() {
        JsonObject done =
                manager.call(
                        "io.holdfast.Manager.Restart",
                        JsonObject.builder().putStrings("names", List.of(NOTIFYING)).build());
        List<String> results =
                done.objects("results").stream().map(each -> each.string("result")).toList();
        if (!results.equals(List.of("done"))) {
            throw new AssertionError("the restart of " + NOTIFYING + ": " + results);
        }
    }

    private Answer answerOf(EntryPoint face) throws InterruptedException {
        UserProcess user = face.isForRoot() ? root : innocent;
        try (UnixSocket socket = user.connect(face.socket())) {
            return face.dialogue(socket).call(face.question().orElseThrow(), user.process().fd());
        }
    }

    private static AssertionError refused(EntryPoint face, String how, @Nullable Exception cause) {
        return new AssertionError(
                "an innocent caller of the %s: %s".formatted(face.name(), how), cause);
    }

    /** Returns what a daemon holds now. */
    Footprint footprint(Daemon daemon) throws InterruptedException {
        return Footprint.of(
                process(daemon),
                switch (daemon) {
                    case MANAGER -> tablesOfManager();
                    case BUS -> tablesOfBus();
                    case AUTHORITY -> tablesOfAuthority();
                });
    }

    private Map<String, Long> tablesOfManager() throws InterruptedException {
        Map<String, Long> tables = new LinkedHashMap<>();
        for (String list : List.of("ListUnits", "ListJobs")) {
            List<?> all =
                    (List<?>)
                            bus.object(SYSTEMD, "/org/freedesktop/systemd1")
                                    .call(SYSTEMD + ".Manager", list)
                                    .getFirst();
            tables.put(list, (long) all.size());
        }
        return tables;
    }

    private Map<String, Long> tablesOfBus() throws InterruptedException {
        Map<String, Long> tables = new LinkedHashMap<>();
        Map<?, ?> all = stats("GetStats", "");
        OF_BUS.forEach(
                name -> tables.put(name, number(Objects.requireNonNull(all.get(name), name))));
        for (String service : List.of(SYSTEMD, "org.freedesktop.PolicyKit1")) {
            Map<?, ?> one = stats("GetConnectionStats", "s", service);
            OF_CONNECTION.forEach(name ->
                    tables.put(
                            name + " of " + service,
                            number(Objects.requireNonNull(one.get(name), name))));
        }
        return tables;
    }

    private Map<?, ?> stats(String method, String signature, Object... arguments)
            throws InterruptedException {
        return (Map<?, ?>)
                bus.bus()
                        .call("org.freedesktop.DBus.Debug.Stats", method, signature, arguments)
                        .getFirst();
    }

    private static long number(Object value) {
        return value instanceof Variant(_, Number number) ? number.longValue() : 0;
    }

    private Map<String, Long> tablesOfAuthority() {
        JsonObject metrics = authority.call("io.holdfast.Authority.GetRuleMetrics");
        return Map.of("stuck", metrics.integer("stuck"), "programs", metrics.integer("programs"));
    }

    /** Asks the stack to end as SIGTERM does, and waits for that. */
    Exit end() throws InterruptedException {
        up.signal(Signal.TERM);
        return up.process()
                .await(END_TIMEOUT)
                .orElseThrow(() -> new AssertionError("it does not end:\n" + written()));
    }

    @Override
    public void close() {
        innocent.close();
        root.close();
        manager.close();
        authority.close();
        bus.close();
        processes.values().forEach(PidFd::close);
        stage.close();
    }
}
