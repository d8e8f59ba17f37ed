package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.Subscription;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.dbus.wire.Struct;
import io.holdfast.dbus.wire.Variant;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.systemd1.Systemd1;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The real systemd-run(1) makes services. */
@Timeout(120)
@Needs(programs = {"systemd-run", "systemctl", "busctl", "script"})
class TransientServiceTest {
    @TempDir private Path folder;
    private Stage stage;
    private Systemd1 face;
    private Bus bus;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
        bus =
                Bus.open(
                        BusAddress.parse("unix:path=" + folder.resolve("bus")),
                        BusConfig.permissive());
        var _ = face.connect(bus.addresses().getFirst().toString());
    }

    @AfterEach
    void close() throws Exception {
        face.close();
        bus.close();
        stage.close();
    }

    private Map<String, String> environment() {
        Map<String, String> environment = new HashMap<>();
        environment.put("XDG_RUNTIME_DIR", stage.runtimeDirectory().toString());
        environment.put("DBUS_SESSION_BUS_ADDRESS", bus.addresses().getFirst().toString());
        return environment;
    }

    private String run(int status, String... words) throws Exception {
        List<String> command = new ArrayList<>(List.of("systemd-run", "--user"));
        command.addAll(List.of(words));
        Tool ran = Tool.run(environment(), command.toArray(String[]::new));
        assertThat(ran.status()).as(ran.output()).isEqualTo(status);
        return ran.output();
    }

    @Test
    void aCommandRunsAsAService() throws Exception {
        String said =
                run(
                        0,
                        "--unit=x",
                        "--description=Two % words",
                        "--slice=q",
                        "-E",
                        "A=one \"two\"\n$three",
                        "--working-directory=/tmp",
                        "--nice=3",
                        "-r",
                        "--send-sighup",
                        "-p",
                        "LimitNOFILE=500:600",
                        "-p",
                        "ExecStopPost=-/bin/false",
                        "/bin/sh",
                        "-c",
                        "echo \"$A|$(pwd)|$(ulimit -Sn) $(ulimit -Hn)|$(nice)|%n\"");
        assertThat(said).contains("Running as unit: x.service; invocation ID: ");
        stage.happenings().await("x.service: INFO its main process exited");
        assertThat(stage.status("x.service").log())
                .contains("one \"two\"", "$three|/tmp|500 600|3|%n");
        Systemctl systemctl = Systemctl.of(stage);
        assertThat(systemctl.expect(0, "show", "x.service", "-p", "Slice,Transient,SendSIGHUP"))
                .contains("Slice=q.slice", "Transient=yes", "SendSIGHUP=yes");
        assertThat(systemctl.expect(0, "status", "x.service"))
                .contains("x.service - Two % words", "; transient)", "active (exited)");
        String _ = systemctl.expect(0, "stop", "x.service");
        assertThat(stage.loaded()).isEmpty();
    }

    @Test
    void theStatusAndTheOutputOfACommandComeBack() throws Exception {
        assertThat(run(7, "--wait", "--pipe", "--unit=x", "/bin/sh", "-c", "echo out; exit 7"))
                .contains("out");
        assertThat(run(0, "--wait", "--collect", "--pipe", "-q", "/bin/echo", "$$", "%n", ";"))
                .isEqualTo("$ %n ;\n");
    }

    @Test
    void aCommandHasTheTerminalOfItsCallerAsItsOwn() throws Exception {
        String command =
                "systemd-run --user --pty -q --unit=x -E T=$T sh -c "
                        + "'echo ours >/dev/tty; test -t 0 -a -t 1 -a -t 2 && exit 5'";
        Tool ran = Tool.run(environment(), "script", "-qec", command, "/dev/null");
        assertThat(ran.output()).contains("ours");
        assertThat(ran.status()).as(ran.output()).isEqualTo(5);
    }

    @Test
    void aSocketIsMadeTogetherWithItsService() throws Exception {
        Path path = folder.resolve("s");
        assertThat(run(0, "--unit=y", "--socket-property=ListenStream=" + path, "/bin/cat"))
                .contains(
                        "Running socket as unit: y.socket", "Will run service as unit: y.service");
        assertThat(stage.state("y.socket")).startsWith("active/listening");
        assertThat(stage.state("y.service")).startsWith("inactive/dead");
        assertThat(Systemctl.of(stage).expect(0, "show", "y.socket", "-p", "Triggers"))
                .isEqualTo("Triggers=y.service\n");
        String _ = Systemctl.of(stage).expect(0, "stop", "y.socket");
        assertThat(stage.loaded()).isEmpty();
    }

    @Test
    void aRequestMakesAllOfItsUnitsOrNone() throws Exception {
        String path = folder.resolve("s").toString();
        for (String bad : List.of("Type s never", "Nice i 50", "User s a:b", "Type s notify")) {
            List<String> words = new ArrayList<>(List.of("y.socket", "fail", "1"));
            words.addAll(List.of("Listen", "a(ss)", "1", "Stream", path, "1", "y.service", "1"));
            words.addAll(List.of(bad.split(" ")));
            assertThat(call(words)).as(bad).startsWith("Call failed: ");
            assertThat(stage.loaded()).as(bad).isEmpty();
            assertThat(files()).as(bad).isEmpty();
        }
    }

    private String call(List<String> arguments) throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "busctl",
                                "--address=" + bus.addresses().getFirst(),
                                "call",
                                "org.freedesktop.systemd1",
                                "/org/freedesktop/systemd1",
                                "org.freedesktop.systemd1.Manager",
                                "StartTransientUnit",
                                "ssa(sv)a(sa(sv))"));
        command.addAll(arguments);
        return Tool.run(Map.of(), command.toArray(String[]::new)).output();
    }

    /** Returns the files of transient units, once those of refused units are removed. */
    private List<String> files() throws Exception {
        assertThat(run(0, "--wait", "-q", "--unit=z", "/bin/true")).isEmpty();
        try (Stream<Path> files = Files.list(stage.runtimeDirectory().resolve("transient"))) {
            return files.map(file -> file.getFileName().toString())
                    .filter(file -> !file.equals("z.service"))
                    .toList();
        }
    }

    @Test
    void aTimerIsMadeTogetherWithItsService() throws Exception {
        assertThat(
                        run(
                                0,
                                "--unit=y",
                                "--on-active=1s",
                                "--on-calendar=2099-01-01",
                                "--timer-property=AccuracySec=1us",
                                "/bin/echo",
                                "ran"))
                .contains("Running timer as unit: y.timer", "Will run service as unit: y.service");
        assertThat(stage.state("y.timer")).startsWith("active/");
        assertThat(stage.runtimeDirectory().resolve("transient/y.timer"))
                .content()
                .contains("[Timer]", "OnActiveSec=1s", "OnCalendar=2099-01-01", "AccuracySec=1us");
        stage.happenings().await("y.service | ran");
        String _ = Systemctl.of(stage).expect(0, "stop", "y.timer");
    }

    @Test
    void aPathIsMadeTogetherWithItsService() throws Exception {
        Path watched = folder.resolve("watched");
        assertThat(run(0, "--unit=y", "--path-property=PathExists=" + watched, "/bin/echo", "ran"))
                .contains("Running path as unit: y.path", "Will run service as unit: y.service");
        assertThat(stage.state("y.path")).startsWith("active/waiting");
        String _ = Systemctl.of(stage).expect(0, "stop", "y.path");
    }

    @Test
    @Needs(
            root = true,
            programs = {"run0", "unshare"})
    void run0RunsACommandAsAnotherUser() throws Exception {
        String booted = "mount -t tmpfs none /run && mkdir -p /run/systemd/system && exec \"$@\"";
        List<String> command =
                List.of(
                        "unshare",
                        "--mount",
                        "sh",
                        "-c",
                        booted,
                        "sh",
                        "run0",
                        "--user=nobody",
                        "--chdir=/",
                        "--unit=x",
                        "sh",
                        "-c",
                        "id -un; echo $SUDO_UID $1; exit 3",
                        "sh",
                        "$HOME");
        Map<String, String> environment =
                Map.of("DBUS_SYSTEM_BUS_ADDRESS", bus.addresses().getFirst().toString());
        Tool ran = Tool.run(environment, command.toArray(String[]::new));
        assertThat(ran.status()).as(ran.output()).isEqualTo(3);
        assertThat(ran.output()).contains("nobody\n0 $HOME\n");
        Await.until(this::isNothingLoaded); // collected, though it failed
    }

    private boolean isNothingLoaded() {
        try {
            return stage.loaded().isEmpty();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** As two systemd-run(1) with --wait one after the other. */
    @Test
    void aNameIsFreeAsSoonAsItsLastHolderHasLeft() throws Exception {
        String address = bus.addresses().getFirst().toString();
        try (BusConnection next = BusConnection.connect(address)) {
            for (int round = 0; round < 30; round++) {
                BusConnection holder = BusConnection.connect(address);
                String left =
                        "type='signal',member='NameOwnerChanged',arg2='',arg0='"
                                + holder.uniqueName()
                                + "'";
                try (Subscription leaving = next.subscribe(left)) {
                    run(holder, Struct.of("AddRef", Variant.of("b", true)));
                    holder.close();
                    leaving.take().close();
                }
                run(next, Struct.of("Description", Variant.of("s", "round " + round)));
            }
        }
    }

    /** Makes x.service, and waits until its program has ended. */
    private static void run(BusConnection caller, Struct property) throws Exception {
        Struct program =
                Struct.of(
                        "ExecStart",
                        Variant.of(
                                "a(sasb)",
                                List.of(Struct.of("/bin/true", List.of("/bin/true"), false))));
        Struct type = Struct.of("Type", Variant.of("s", "oneshot"));
        try (Subscription ended = caller.subscribe("type='signal',member='JobRemoved'")) {
            List<Object> _ =
                    caller.object("org.freedesktop.systemd1", "/org/freedesktop/systemd1")
                            .call(
                                    "org.freedesktop.systemd1.Manager",
                                    "StartTransientUnit",
                                    "ssa(sv)a(sa(sv))",
                                    "x.service",
                                    "fail",
                                    List.of(type, program, property),
                                    List.of());
            ended.take().close();
        }
    }

    @Test
    void aSliceIsMade() throws Exception {
        assertThat(call(List.of("q.slice", "fail", "1", "Description", "s", "Ours", "0")))
                .contains("/org/freedesktop/systemd1/job/");
        assertThat(stage.start("q.slice")).isEqualTo(JobResult.DONE);
        assertThat(Systemctl.of(stage).expect(0, "show", "q.slice", "-p", "Description,Transient"))
                .contains("Description=Ours", "Transient=yes");
        assertThat(stage.stop("q.slice")).isEqualTo(JobResult.DONE);
    }

    @Test
    void badRequestsAreRefusedAsSystemdRefusesThem() throws Exception {
        assertThat(run(1, "-p", "RestrictFileSystems=ext4", "true"))
                .isEqualTo(
                        "Failed to start transient service unit: "
                                + "Cannot set property RestrictFileSystems, or unknown property.\n");
        assertThat(call(List.of("x.service", "fail", "0", "0")))
                .contains("Unit x.service has a bad unit file setting.");
        assertThat(call(List.of("x.service", "fail", "1", "Nice", "s", "1", "0")))
                .contains("Unexpected message contents");
        assertThat(call(List.of("x.service", "fail", "1", "PIDs", "au", "1", "1", "0")))
                .contains("Cannot set property PIDs, or unknown property.");
        assertThat(run(1, "--unit=x", "-p", "Nice=-30", "true")).contains("Nice");
        stage.service("there", "ExecStart=/bin/true");
        assertThat(run(1, "--unit=there", "true"))
                .contains("Unit there.service was already loaded or has a fragment file.");
        List<String> many = new ArrayList<>(List.of("x.service", "fail", "0", "16"));
        for (int i = 0; i < 16; i++) {
            many.addAll(List.of("y" + i + ".service", "0"));
        }
        assertThat(call(many)).contains("transientUnits");
        assertThat(stage.loaded()).isEmpty();
    }
}
