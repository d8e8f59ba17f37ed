package io.holdfast.interop.stack;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Cgroup;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.interop.Checkout;
import io.holdfast.manager.survival.Keeper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * A place for a whole stack, with the command of this checkout: a mount namespace where {@code
 * /run} is empty and {@code /etc} a copy with one more user, and a UTS namespace, so that the
 * machine keeps its name. The stack has its own runtime folder and slice. It ends with this object.
 */
public final class StackStage implements AutoCloseable {
    public static final String USER = "hfalice";
    public static final int UID = 40_001;
    static final String PASSWORD = "right horse";

    /** The stack's runtime folder, on the stage. */
    public static final String RUNTIME = "/run/stack";

    public static final String BUS = "unix:path=" + RUNTIME + "/bus";
    public static final String AUTHORITY = "unix:" + RUNTIME + "/io.holdfast.Authority";

    /** The command, on the stage. */
    static final String HOLDFAST = "/run/checkout/holdfast";

    private static final int ENVIRONMENT = 1 << 16;
    private static final AtomicInteger COUNT = new AtomicInteger();

    /** Whether the bus and the authority have users in the files of the stage. */
    public enum Accounts {
        WITH,
        WITHOUT
    }

    private final RunningProgram stage;
    private final List<RunningProgram> programs = new CopyOnWriteArrayList<>();
    private final String slice =
            "hfstack%dx%d.slice".formatted(ProcessHandle.current().pid(), COUNT.incrementAndGet());

    private StackStage(RunningProgram stage) {
        this.stage = stage;
    }

    /** Makes the place; nothing runs there. */
    public static StackStage open(Accounts accounts) throws InterruptedException {
        Checkout.requireBuilt();
        Child child =
                Spawn.of("unshare", "--mount", "--uts", "sh", "-c", script(), "stage")
                        .arguments(
                                List.of(
                                        Checkout.FOLDER.toString(),
                                        USER,
                                        Integer.toString(UID),
                                        PASSWORD,
                                        accounts == Accounts.WITH ? "with" : "without"))
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.merged())
                        .start();
        StackStage made = new StackStage(new RunningProgram(child));
        made.stage.await("staged");
        return made;
    }

    private static String script() {
        try (InputStream in = StackStage.class.getResourceAsStream("stage.sh")) {
            return new String(Objects.requireNonNull(in).readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns a file of the stage, as the test sees it. */
    public Path file(String path) {
        return Path.of("/proc/" + stage.process().pid() + "/root" + path);
    }

    /** Writes a file of the stage that every user may read. */
    public void write(String path, String text) throws IOException {
        Path file = file(path);
        Path _ = Files.createDirectories(Objects.requireNonNull(file.getParent()));
        Path _ = Files.writeString(file, text);
    }

    /** Starts {@code holdfast up} with its own units before others, without waiting. */
    public RunningProgram up(String... units) {
        return up(Map.of(), units);
    }

    /** Starts {@code holdfast up} with more variables in its environment. */
    RunningProgram up(Map<String, String> environment, String... units) {
        List<String> command =
                new ArrayList<>(
                        List.of(HOLDFAST, "up", "--runtime-dir", RUNTIME, "--slice", slice));
        command.addAll(List.of(units));
        return start(command, Stdio.devNull(), environment);
    }

    /** Starts the stack, and waits until it is ready. */
    public RunningProgram ready() throws InterruptedException {
        RunningProgram up = up();
        up.await("holdfast: ready");
        return up;
    }

    /** Returns the slice of this stage. */
    String slice() {
        return slice;
    }

    /** Returns whether the stack has a cgroup. */
    public boolean hasCgroup() {
        try (Cgroup own = Cgroup.own()) {
            return own.childNames().contains(slice);
        }
    }

    /** Starts a program on the stage, with the bus of the stack as the system bus. */
    public RunningProgram start(List<String> command) {
        return start(command, Stdio.devNull(), Map.of());
    }

    public RunningProgram start(
            List<String> command, Stdio stdin, Map<String, String> environment) {
        List<String> inside = new ArrayList<>();
        String namespaces = "/proc/" + stage.process().pid() + "/ns/";
        inside.addAll(
                List.of("nsenter", "--mount=" + namespaces + "mnt", "--uts=" + namespaces + "uts"));
        inside.add("--");
        inside.addAll(command);
        Spawn spawn =
                Spawn.of(inside)
                        .environment("DBUS_SYSTEM_BUS_ADDRESS", BUS)
                        .environment("LC_ALL", "C.UTF-8")
                        .environment("NO_COLOR", "1")
                        .environment("SYSTEMD_PAGER", "")
                        .stdin(stdin)
                        .stdout(Stdio.pipe())
                        .stderr(Stdio.merged());
        for (Map.Entry<String, String> variable : environment.entrySet()) {
            spawn = spawn.environment(variable.getKey(), variable.getValue());
        }
        RunningProgram running = new RunningProgram(spawn.start());
        programs.add(running);
        return running;
    }

    /** Runs a program to its successful end, and returns what it wrote. */
    String output(String... command) throws InterruptedException {
        try (RunningProgram running = start(List.of(command))) {
            return running.output();
        }
    }

    /** Runs a program to its end. */
    Exit run(String... command) throws InterruptedException {
        try (RunningProgram running = start(List.of(command))) {
            return running.end();
        }
    }

    /** Starts a program of the user on a new terminal. */
    Terminal onTerminal(List<String> command) throws InterruptedException {
        List<String> inside = new ArrayList<>(List.of("sh", "-c", "tty; exec \"$@\"", "sh"));
        inside.addAll(command);
        String words = String.join(" ", asUser(inside).stream().map(StackStage::quoted).toList());
        return Terminal.of(
                start(List.of("script", "-qec", words, "/dev/null"), Stdio.pipe(), Map.of()));
    }

    private static String quoted(String word) {
        return "'" + word.replace("'", "'\\''") + "'";
    }

    /** Returns the command, run by a user and the group of the same name. */
    static List<String> as(String user, List<String> command) {
        return Stream.concat(
                        Stream.of("setpriv", "--reuid=" + user, "--regid=" + user, "--init-groups"),
                        command.stream())
                .toList();
    }

    /** Returns the command, run by the user. */
    static List<String> asUser(List<String> command) {
        return Stream.concat(
                        Stream.of(
                                "setpriv",
                                "--reuid=" + UID,
                                "--regid=" + UID,
                                "--init-groups",
                                "--reset-env",
                                "env",
                                "LC_ALL=C.UTF-8",
                                "DBUS_SYSTEM_BUS_ADDRESS=" + BUS),
                        command.stream())
                .toList();
    }

    /** Starts a process that waits, and returns when it has become one of the user. */
    RunningProgram processOfUser() throws InterruptedException {
        RunningProgram process =
                start(asUser("sh", "-c", "echo has begun; exec cat"), Stdio.pipe(), Map.of());
        process.await("has begun");
        return process;
    }

    static List<String> asUser(String... command) {
        return asUser(List.of(command));
    }

    /**
     * Returns the main process of a unit, held; its PID comes from the manager, and is verified.
     */
    public PidFd mainProcess(String unit) throws InterruptedException {
        String number = userctl("show", "--property=MainPID", "--value", unit);
        PidFd process = PidFd.open(Integer.parseInt(number));
        try {
            assertThat(process.cgroupPath().path()).endsWith("/" + unit);
            return process;
        } catch (RuntimeException | AssertionError e) {
            process.close();
            throw e;
        }
    }

    /** Returns the manager that is the child of a keeper, held. */
    @SuppressWarnings("MustBeClosed")
    public static PidFd managerBelow(PidFd keeper) {
        return keeper.children().take().stream()
                .filter(StackStage::isManager)
                .findFirst()
                .orElseThrow();
    }

    private static boolean isManager(PidFd child) {
        try {
            return child.proc().environment(ENVIRONMENT).containsKey(Keeper.VARIABLE);
        } catch (ErrnoException e) {
            return false; // it has exited, and its manager will notice
        }
    }

    /** Returns the output of systemctl for the stack, which it takes for that of a user. */
    String userctl(String... words) throws InterruptedException {
        List<String> command =
                new ArrayList<>(
                        List.of("env", "XDG_RUNTIME_DIR=" + RUNTIME, "systemctl", "--user"));
        command.addAll(List.of(words));
        return output(command.toArray(String[]::new));
    }

    /** Ends the stack in order, as its user would. */
    static void stop(RunningProgram up) throws InterruptedException {
        up.signal(Signal.TERM);
        assertThat(up.end()).as(up::written).isEqualTo(new Exit.Exited(0));
    }

    @Override
    public void close() {
        for (RunningProgram program : programs.reversed()) {
            program.closeGently();
        }
        stage.close();
    }
}
