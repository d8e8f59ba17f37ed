package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.bus.Bus;
import io.holdfast.bus.config.BusConfig;
import io.holdfast.core.testkit.Needs;
import io.holdfast.dbus.address.BusAddress;
import io.holdfast.manager.job.JobResult;
import io.holdfast.manager.systemd1.Systemd1;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The real systemd-run(1) on the private socket. */
@Timeout(120)
@Needs(programs = {"systemd-run", "systemctl", "busctl"})
class TransientScopeTest {
    @TempDir private Path folder;
    private Stage stage;
    private Systemd1 face;
    private Bus bus;
    private final List<Process> started = new ArrayList<>();

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
        for (Process process : started) {
            int _ = process.destroyForcibly().waitFor();
        }
        stage.close();
    }

    private Map<String, String> environment() {
        return Map.of("XDG_RUNTIME_DIR", stage.runtimeDirectory().toString());
    }

    private String run(int status, String... words) throws Exception {
        List<String> command = new ArrayList<>(List.of("systemd-run", "--user", "--scope"));
        command.addAll(List.of(words));
        Tool ran = Tool.run(environment(), command.toArray(String[]::new));
        assertThat(ran.status()).as(ran.output()).isEqualTo(status);
        return ran.output();
    }

    /** Starts a process in x.scope that the manager did not start. */
    private Process running(String... options) throws IOException {
        List<String> command =
                new ArrayList<>(List.of("systemd-run", "--user", "--scope", "--unit=x"));
        command.addAll(List.of(options));
        command.addAll(List.of("/bin/sh", "-c", "echo ready; exec sleep 1000"));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(environment());
        Process process = builder.start();
        started.add(process);
        assertThat(process.inputReader().readLine()).isEqualTo("ready");
        return process;
    }

    private String call(String signature, String... arguments) throws Exception {
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
                                signature));
        command.addAll(List.of(arguments));
        return Tool.run(Map.of(), command.toArray(String[]::new)).output();
    }

    private String made(String name, String... properties) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(name, "fail"));
        arguments.addAll(List.of(properties));
        arguments.add("0");
        return call("ssa(sv)a(sa(sv))", arguments.toArray(String[]::new));
    }

    @Test
    void aCommandRunsInAScopeAndItsStatusComesBack() throws Exception {
        assertThat(run(7, "--unit=x", "/bin/sh", "-c", "cat /proc/self/cgroup; exit 7"))
                .contains("Running as unit: x.scope; invocation ID: ")
                .contains(
                        stage.manager()
                                .slice()
                                .map(slice -> slice.path() + "/system.slice/x.scope")
                                .orElse(""));
        var _ = stage.happenings().awaitRest("x.scope");
        assertThat(stage.loaded()).isEmpty();
        assertThat(run(0, "/bin/true")).contains("Running as unit: run-");
    }

    @Test
    void systemctlShowsAndStopsAScope() throws Exception {
        Process process = running("--description=Of a user", "--slice=q", "-p", "KillSignal=USR2");
        Systemctl systemctl = Systemctl.of(stage);
        assertThat(systemctl.expect(0, "status", "x.scope"))
                .contains("x.scope - Of a user", "; transient)", "Transient: yes")
                .contains("active (running)", stage.status("x.scope").invocationId());
        assertThat(stage.runtimeDirectory().resolve("transient/x.scope"))
                .content()
                .contains("[Unit]\nDescription=Of a user", "[Scope]", "Slice=q.slice");
        assertThat(systemctl.expect(0, "show", "x.scope", "-p", "KillSignal,Slice,RuntimeMaxUSec"))
                .contains("KillSignal=12", "Slice=q.slice", "RuntimeMaxUSec=infinity");
        if (stage.manager().slice().isPresent()) {
            assertThat(systemctl.expect(0, "status", Long.toString(process.pid())))
                    .contains("x.scope");
            assertThat(systemctl.expect(0, "status", "x.scope"))
                    .contains("" + process.pid(), "sleep 1000");
        }
        String _ = systemctl.expect(0, "stop", "x.scope");
        int ignored = process.waitFor(); // 0 if the manager has reaped it before the JDK
        var _ = stage.happenings().awaitRest("x.scope");
        String _ = systemctl.expect(4, "status", "x.scope");
    }

    @Test
    void aScopeIsAbandonedByItsMethod() throws Exception {
        Process _ = running();
        List<String> abandon =
                List.of(
                        "busctl",
                        "--address=" + bus.addresses().getFirst(),
                        "call",
                        "org.freedesktop.systemd1",
                        "/org/freedesktop/systemd1/unit/x_2escope",
                        "org.freedesktop.systemd1.Scope",
                        "Abandon");
        assertThat(Tool.run(Map.of(), abandon.toArray(String[]::new)).status()).isZero();
        assertThat(stage.state("x.scope")).isEqualTo("active/abandoned success");
        assertThat(stage.stop("x.scope")).isEqualTo(JobResult.DONE);
        assertThat(Tool.run(Map.of(), abandon.toArray(String[]::new)).output())
                .contains("Scope x.scope is not running, cannot abandon.");
    }

    @Test
    void whatCannotBeMadeIsRefusedAsSystemdSaysIt() throws Exception {
        assertThat(made("x.target", "0"))
                .contains("Unit type target does not support transient units.");
        assertThat(made("x.nope", "0")).contains("Invalid unit name or type.");
        assertThat(made("x@.scope", "0")).contains("Unit name x@.scope is missing the instance");
        assertThat(made("x.scope", "0")).contains("Unit x.scope failed to load properly");
        assertThat(made("x.scope", "1", "RestrictFileSystems", "s", "closed"))
                .contains("Cannot set property RestrictFileSystems, or unknown property.");
        assertThat(made("x.scope", "1", "PIDs", "au", "1", "4194304")).contains("No such process");
        assertThat(made("x.scope", "1", "PIDs", "au", "1", "" + ProcessHandle.current().pid()))
                .contains("is a manager process, refusing.");
        assertThat(call("ssa(sv)a(sa(sv))", "x.scope", "foo", "0", "0"))
                .contains("Job mode foo invalid");
        Process process = running();
        assertThat(made("x.scope", "1", "PIDs", "au", "1", "" + process.pid()))
                .contains("Unit x.scope was already loaded or has a fragment file.");
        assertThat(stage.state("x.scope")).isEqualTo("active/running success");
    }

    /** systemd-logind asks for that, whose sessions are scopes. */
    @Test
    void aSessionsScopeMayRequireMountsAndHaveAnyNumberOfTasks() throws Exception {
        stage.service("a", "ExecStart=/bin/sleep 1000");
        stage.start("a");
        String pid = "" + stage.main("a").pid();
        String paths = "RequiresMountsFor";
        assertThat(made("x.scope", "2", paths, "as", "1", "home", "PIDs", "au", "1", pid))
                .contains("Invalid RequiresMountsFor value: home");
        assertThat(made("x.scope", "2", "TasksMax", "t", "0", "PIDs", "au", "1", pid))
                .contains("Invalid TasksMax setting: 0");
        assertThat(
                        made(
                                "x.scope",
                                "3",
                                paths,
                                "as",
                                "2",
                                "/home/a b\\\"%n",
                                "/",
                                "TasksMax",
                                "t",
                                "18446744073709551615",
                                "PIDs",
                                "au",
                                "1",
                                pid))
                .contains("/org/freedesktop/systemd1/job/");
        assertThat(stage.start("x.scope")).isEqualTo(JobResult.DONE);
        assertThat(Systemctl.of(stage).expect(0, "show", "x.scope", "-p", paths))
                .isEqualTo("RequiresMountsFor=\"/home/a b\\\\\\\"%n\" /\n");
        assertThat(stage.stop("x.scope")).isEqualTo(JobResult.DONE);
    }

    @Test
    void aProcessOfAServiceMovesIntoAScope() throws Exception {
        stage.service("a", "ExecStart=/bin/sleep 1000");
        stage.start("a");
        assertThat(made("x.scope", "1", "PIDs", "au", "1", "" + stage.main("a").pid()))
                .contains("/org/freedesktop/systemd1/job/");
        assertThat(stage.start("x.scope")).isEqualTo(JobResult.DONE);
        assertThat(stage.stop("x.scope")).isEqualTo(JobResult.DONE);
        stage.happenings().awaitRest("a.service"); // its main process has ended
    }
}
