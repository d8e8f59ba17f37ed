package io.holdfast.interop.stack;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * {@code holdfast up} for one user: a manager and a message bus of the session, which clients find
 * by {@code XDG_RUNTIME_DIR} alone.
 */
@ParameterizedClass(name = "session of {0}")
@EnumSource
@Timeout(300)
@Needs(
        root = true,
        cgroup2 = true,
        programs = {"unshare", "nsenter", "openssl", "setpriv", "systemctl", "busctl", "gdbus"})
class SessionTest {
    private static final String SLEEPER = "sleeper.service";
    private static final String SYSTEMD = "org.freedesktop.systemd1";
    private static final String PATH = "/org/freedesktop/systemd1";

    /** The user of the session. */
    enum Whose {
        /** A plain user: the stack is below the user's folder. */
        A_USER(StackStage.UID),
        /** Root, with a session of its own: configured to use the folder itself. */
        ROOT(0);

        private final int uid;

        Whose(int uid) {
            this.uid = uid;
        }

        private String folder() {
            return "/run/user/" + uid;
        }

        /** Returns the runtime folder that other tools receive. */
        private String runtime() {
            return this == ROOT ? folder() : folder() + "/holdfast";
        }

        private List<String> command(String runtime, String... words) {
            List<String> command = new ArrayList<>();
            command.addAll(
                    List.of(
                            "env",
                            "--unset=DBUS_SESSION_BUS_ADDRESS",
                            "--unset=DBUS_SYSTEM_BUS_ADDRESS",
                            "XDG_RUNTIME_DIR=" + runtime,
                            "SYSTEMD_PAGER=",
                            "HOLDFAST_AS_BUILT=yes"));
            command.addAll(List.of(words));
            return this == ROOT ? command : StackStage.asUser(command);
        }
    }

    @Parameter Whose whose = Whose.A_USER;
    private StackStage stage;
    private RunningProgram up;

    @BeforeEach
    void start() throws Exception {
        stage = StackStage.open(StackStage.Accounts.WITH);
        stage.write(
                "/run/stage/units/" + SLEEPER,
                """
                [Unit]
                Description=A sleeper
                [Service]
                ExecStart=/bin/sleep 1000
                """);
        String id = Integer.toString(whose.uid);
        assertThat(stage.output("install", "-d", "-m0755", "/run/user")).isEmpty();
        assertThat(stage.output("install", "-d", "-m0700", "-o" + id, "-g" + id, whose.folder()))
                .isEmpty();
        List<String> words = new ArrayList<>(List.of(StackStage.HOLDFAST, "up"));
        if (whose == Whose.ROOT) {
            words.addAll(List.of("--user", "--runtime-dir", whose.folder()));
        }
        words.addAll(List.of("--slice", stage.slice(), "--units", "/run/stage/units"));
        up = stage.start(whose.command(whose.folder(), words.toArray(String[]::new)));
        up.await("holdfast: ready");
    }

    @AfterEach
    void end() {
        if (stage != null) {
            stage.close();
            assertThat(stage.hasCgroup()).isFalse();
        }
    }

    /** Returns the output of a foreign tool at its successful end. */
    private String tool(String... words) throws InterruptedException {
        try (RunningProgram running = stage.start(whose.command(whose.runtime(), words))) {
            return running.output();
        }
    }

    private String systemctl(String... words) throws InterruptedException {
        return tool(
                Stream.concat(Stream.of("systemctl", "--user"), Stream.of(words))
                        .toArray(String[]::new));
    }

    private String busctl(String... words) throws InterruptedException {
        return tool(
                Stream.concat(Stream.of("busctl", "--user"), Stream.of(words))
                        .toArray(String[]::new));
    }

    private int status(String... words) throws InterruptedException {
        List<String> command = new ArrayList<>(List.of("systemctl", "--user"));
        command.addAll(List.of(words));
        try (RunningProgram running =
                stage.start(whose.command(whose.runtime(), command.toArray(String[]::new)))) {
            return running.end() instanceof Exit.Exited(int status) ? status : -1;
        }
    }

    /**
     * Returns the main process of a unit, held. It must be a child of the manager, which is the
     * keeper's child: this shows that its PID was not given to another process.
     */
    private PidFd main(String unit) throws InterruptedException {
        String number = systemctl("show", "--property=MainPID", "--value", unit);
        PidFd process = PidFd.open(Integer.parseInt(number));
        try (PidFd manager = process.parent().orElseThrow();
                PidFd keeper = manager.parent().orElseThrow()) {
            assertThat(keeper.pid()).as(unit).isEqualTo(up.process().pid());
            return process;
        } catch (RuntimeException | AssertionError e) {
            process.close();
            throw e;
        }
    }

    @Test
    void systemctlOfTheUserFindsItAndWorksOnItsUnits() throws Exception {
        assertThat(systemctl("list-units", "--plain", "--no-legend").lines())
                .anyMatch(line -> line.matches("dbus\\.service +loaded active running .*"))
                .anyMatch(line -> line.matches("dbus\\.socket +loaded active running .*"))
                .anyMatch(line -> line.matches("holdfast\\.target +loaded active active .*"));
        assertThat(systemctl("start", SLEEPER)).isEmpty();
        assertThat(systemctl("is-active", SLEEPER)).isEqualTo("active");
        assertThat(systemctl("status", SLEEPER))
                .contains("A sleeper", "active (running)", " (sleep)");
        String first = systemctl("show", "--property=InvocationID", SLEEPER);
        try (PidFd before = main(SLEEPER)) {
            assertThat(systemctl("restart", SLEEPER)).isEmpty();
            assertThat(before.isAlive()).isFalse();
        }
        assertThat(systemctl("show", "--property=InvocationID", SLEEPER)).isNotEqualTo(first);
        try (PidFd again = main(SLEEPER)) {
            assertThat(systemctl("kill", "--signal=KILL", "--kill-whom=main", SLEEPER)).isEmpty();
            var _ = again.await();
        }
        up.await("sleeper.service: failed");
        assertThat(status("is-active", SLEEPER)).isEqualTo(3);
        assertThat(systemctl("show", "--property=Result", "--value", SLEEPER)).isEqualTo("signal");
        assertThat(systemctl("start", SLEEPER)).isEmpty();
        assertThat(systemctl("stop", SLEEPER)).isEmpty();
        assertThat(status("is-active", SLEEPER)).isEqualTo(3);
        assertThat(status("start", "nosuch.service")).isEqualTo(5);
    }

    @Test
    void busctlOfTheUserFindsItsBus() throws Exception {
        // the manager connects to the bus after the bus has started
        assertThat(tool("gdbus", "wait", "--session", "--timeout=100", SYSTEMD)).isEmpty();
        assertThat(busctl("list", "--no-legend").lines())
                .anyMatch(line -> line.startsWith("org.freedesktop.DBus "))
                .anyMatch(line -> line.startsWith(SYSTEMD + " "));
        assertThat(busctl("status", SYSTEMD))
                .contains("PPID=" + up.process().pid(), "UID=" + whose.uid);
        assertThat(
                        busctl(
                                "call",
                                SYSTEMD,
                                PATH,
                                SYSTEMD + ".Manager",
                                "GetUnit",
                                "s",
                                "dbus.service"))
                .isEqualTo("o \"" + PATH + "/unit/dbus_2eservice\"");
        assertThat(busctl("introspect", SYSTEMD, PATH + "/unit/dbus_2eservice"))
                .containsPattern("\\.ActiveState +property +s +\"active\"");
    }

    @Test
    void leavingItEndsAllAndRemovesWhatItMade() throws Exception {
        assertThat(systemctl("start", SLEEPER)).isEmpty();
        try (PidFd bus = main("dbus.service");
                PidFd sleeper = main(SLEEPER)) {
            up.signal(Signal.TERM);
            assertThat(up.end()).as(up::written).isEqualTo(new Exit.Exited(0));
            assertThat(List.of(bus, sleeper)).noneMatch(PidFd::isAlive);
        }
        assertThat(filesIn(whose.folder()))
                .as(
                        "all but the lock, which only its holder may remove, the log, and the"
                                + " folder for services of the session, which dbus-daemon leaves, too")
                .isSubsetOf(
                        whose.runtime() + "/lock",
                        whose.runtime() + "/log",
                        whose.runtime() + "/log/system.journal",
                        whose.folder() + "/dbus-1",
                        whose.folder() + "/dbus-1/services");
        assertThat(stage.file(whose.runtime() + "/systemd")).doesNotExist();
        assertThat(stage.hasCgroup()).isFalse();
        assertThat(status("is-active", SLEEPER)).as("no manager runs").isNotZero();
    }

    /** Returns all files but the runtime folder and the folders above it. */
    private List<String> filesIn(String folder) throws IOException {
        Path root = stage.file("/");
        Path runtime = stage.file(whose.runtime());
        try (Stream<Path> files = Files.walk(stage.file(folder))) {
            return files.filter(file -> !runtime.startsWith(file))
                    .map(file -> "/" + root.relativize(file))
                    .toList();
        }
    }
}
