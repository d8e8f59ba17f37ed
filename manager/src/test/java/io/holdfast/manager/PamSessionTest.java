package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Feature;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.job.JobResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Services with {@code PAMName=}, by the modules of Linux-PAM and stacks of their own. */
@Timeout(120)
@Needs(root = true, features = Feature.MOUNT_TREES, files = "/etc/pam.d")
class PamSessionTest {
    private static final String NOBODY = "65534";

    @TempDir private Path folder;
    private Stage stage;
    private Path calls;

    @BeforeEach
    void open() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path _ = Files.createDirectory(folder.resolve("pam.d"));
        calls = Files.createFile(folder.resolve("calls"));
        Files.setPosixFilePermissions(calls, PosixFilePermissions.fromString("rw-rw-rw-"));
        Path _ =
                Files.writeString(
                        folder.resolve("hook.sh"),
                        "echo $PAM_TYPE $PAM_SERVICE $PAM_USER $SHAPE $(id -u) >> " + calls);
        stage = Stage.in(folder);
    }

    @AfterEach
    void close() throws Exception {
        stage.close();
    }

    /** Writes the stack of the PAM service. */
    private void stack(String... lines) throws Exception {
        List<String> all = new ArrayList<>(List.of(lines));
        all.add("session required pam_exec.so quiet /bin/sh " + folder.resolve("hook.sh"));
        Path _ = Files.write(folder.resolve("pam.d/hf-test"), all);
    }

    private void service(String name, String... lines) throws Exception {
        List<String> all =
                new ArrayList<>(
                        List.of(
                                "PAMName=hf-test",
                                "Environment=SHAPE=round",
                                "BindReadOnlyPaths=" + folder.resolve("pam.d") + ":/etc/pam.d"));
        all.addAll(List.of(lines));
        Stage _ = stage.service(name, all.toArray(String[]::new));
    }

    /** Returns the child of a process. */
    private static String childOf(long pid) throws Exception {
        return Files.readString(Path.of("/proc/%d/task/%d/children".formatted(pid, pid))).strip();
    }

    private static String field(String pid, String name) throws Exception {
        return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
                .filter(line -> line.startsWith(name + ":"))
                .map(line -> line.substring(name.length() + 1).strip())
                .findFirst()
                .orElse("");
    }

    @Test
    void modulesChangeTheProcessAndSeeItsEnd() throws Exception {
        Path environment = folder.resolve("env.conf");
        Path limits = folder.resolve("limits.conf");
        Path _ = Files.writeString(environment, "COLOUR DEFAULT=blue\n");
        Path _ = Files.writeString(limits, "nobody - nofile 333\n");
        stack(
                "account required pam_permit.so",
                "session required pam_env.so readenv=0 conffile=" + environment,
                "session required pam_limits.so conf=" + limits);
        String main =
                stage.shell(
                        "main",
                        """
                        [ $SYSTEMD_EXEC_PID = $$ ] && own=yes
                        echo up $COLOUR $SHAPE $(ulimit -n) $(id -u) $own $(ls /proc/self/fd)
                        exec sleep 1000
                        """);
        service("x", "User=nobody", "ExecStart=" + main);

        assertThat(stage.start("x")).isEqualTo(JobResult.DONE);
        String line = stage.happenings().awaitOutput("x.service", "up ");
        assertThat(line).endsWith("up blue round 333 65534 yes 0 1 2 3");
        assertThat(calls).hasContent("open_session hf-test nobody round 0");
        String child = childOf(stage.main("x").pid());
        assertThat(field(child, "Name")).isEqualTo("(sd-pam)");
        assertThat(field(child, "Uid")).startsWith(NOBODY + "\t" + NOBODY);
        assertThat(field(child, "Groups")).isEmpty();
        assertThat(Path.of("/proc/" + child + "/cgroup")).content().endsWith("/x.service\n");
        assertThat(stage.stop("x")).isEqualTo(JobResult.DONE);
        assertThat(calls)
                .hasContent(
                        """
                        open_session hf-test nobody round 0
                        close_session hf-test nobody round 65534
                        """);
    }

    @Test
    void theSessionEndsWithAProcessThatIsKilled() throws Exception {
        stack("account required pam_permit.so");
        service("x", "User=nobody", "ExecStart=/bin/sh -c 'echo up; exec sleep 1000'");
        assertThat(stage.start("x")).isEqualTo(JobResult.DONE);
        String _ = stage.happenings().awaitOutput("x.service", "up");
        try (PidFd main = stage.hold("x")) {
            assertThat(main.signal(Signal.KILL)).isTrue();
        }
        assertThat(stage.happenings().awaitRest("x.service")).contains("failed");
        assertThat(calls).content().contains("open_session", "close_session");
    }

    @Test
    void anAccountThatIsRefusedFailsTheStart() throws Exception {
        stack("account required pam_deny.so");
        service("x", "Type=oneshot", "User=nobody", "ExecStart=/bin/sh -c 'echo ran'");
        Stage _ = stage.keep("x.service");
        assertThat(stage.start("x")).isEqualTo(JobResult.FAILED);
        assertThat(stage.status("x").mainExit()).contains(new Exit.Exited(224));
        assertThat(stage.status("x").log()).noneMatch(line -> line.contains("ran"));
        assertThat(calls).isEmptyFile();
    }

    @Test
    void commandsThatKeepTheIdentityOfTheManagerHaveNoSession() throws Exception {
        stack("account required pam_deny.so");
        service("x", "Type=oneshot", "User=nobody", "ExecStart=+/bin/true");
        service("y", "Type=oneshot", "User=nobody", "ExecStart=!/bin/true");
        service("z", "Type=oneshot", "ExecStart=/bin/true");
        for (String name : List.of("x", "y", "z")) {
            assertThat(stage.start(name)).as(name).isEqualTo(JobResult.DONE);
        }
        assertThat(calls).isEmptyFile();
    }

    @Test
    void theLoaderOfTheModulesReadsNoVariablesOfTheUnit() throws Exception {
        stack("account required pam_permit.so");
        service(
                "x",
                "Type=oneshot",
                "RemainAfterExit=yes",
                "User=nobody",
                "Environment=LD_PRELOAD=/none.so",
                "ExecStart=/bin/true");
        assertThat(stage.start("x")).isEqualTo(JobResult.DONE);
        assertThat(stage.status("x").log())
                .filteredOn(line -> line.contains("/none.so"))
                .hasSize(1);
    }

    @Test
    void programsOfModulesAreNotGivenVariablesThatLibrariesObey() throws Exception {
        Path seen = folder.resolve("seen");
        Path environment = folder.resolve("env.conf");
        Path _ = Files.writeString(environment, "TZDIR DEFAULT=/module\n");
        stack(
                "account required pam_permit.so",
                "session required pam_exec.so quiet /bin/sh -c env>>" + seen,
                "session required pam_env.so readenv=0 conffile=" + environment);
        service(
                "x",
                "Type=oneshot",
                "RemainAfterExit=yes",
                "User=nobody",
                "Environment=LD_BIND_NOW=unit MALLOC_ARENA_MAX=1 TMPDIR=/unit TZDIR=/unit",
                "ExecStart=/bin/sh -c 'echo got $$LD_BIND_NOW $$MALLOC_ARENA_MAX $$TMPDIR $$TZDIR'");
        assertThat(stage.start("x")).isEqualTo(JobResult.DONE);
        String line = stage.happenings().awaitOutput("x.service", "got ");
        assertThat(line).endsWith("got unit 1 /unit /module");
        assertThat(seen)
                .content()
                .contains("SHAPE=round")
                .doesNotContain("LD_BIND_NOW", "MALLOC_ARENA_MAX", "TMPDIR", "TZDIR");
    }
}
