package io.holdfast.manager.exec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Fd;
import io.holdfast.core.FdInputStream;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.section.ServiceUnit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tests what a manager that does not run as root can do for its services, and what it refuses. */
@Timeout(120)
@Needs(root = true) // to change to another user
class ExecutionAsUserTest {
    private static final int NOBODY = 65534;
    private static final String STATUS = "ExecStart=/bin/cat /proc/self/status";

    @TempDir private Path folder;
    private ManagerScope scope = ManagerScope.system(Map.of());
    private final List<String> warnings = new CopyOnWriteArrayList<>();
    private SandboxSupport.Mode mode = SandboxSupport.Mode.AS_FOUND;

    @BeforeEach
    void giveTheFolderAway() throws IOException {
        scope = TestUnits.scopeIn(folder);
        Path ignored = Files.setAttribute(folder, "unix:uid", NOBODY);
    }

    /** Returns the output of a service that the user nobody runs. */
    private String run(String... lines) throws Exception {
        ServiceUnit unit = TestUnits.service(scope, lines);
        StringBuilder written = new StringBuilder();
        // read here: nobody may not enter a folder such as /root, in which the classes may be
        Class<?> _ = Class.forName(Execution.class.getName());
        AsUser.nobody(() -> {
            Fd[] pipe = Unistd.pipe2(0);
            try (FdInputStream in = new FdInputStream(pipe[0])) {
                Child started;
                try (Fd output = pipe[1]) {
                    Execution execution =
                            new Execution(
                                    TestUnits.executed(unit),
                                    scope,
                                    OneRun.surroundings(
                                            output, folder, Optional.empty(), "0".repeat(32)),
                                    new DynamicUids(folder.resolve("uids")),
                                    SandboxSupport.find(mode),
                                    warnings::add);
                    execution.prepare();
                    started =
                            execution.start(
                                    unit.service().commands().start().getFirst(),
                                    Map.of(),
                                    PassedDescriptors.NONE);
                }
                try (Child child = started) {
                    written.append(new String(in.readAllBytes(), UTF_8));
                    assertThat(child.await()).isEqualTo(new Exit.Exited(0));
                }
            }
        });
        return written.toString();
    }

    private void refused(SetupException.Step step, String why, String... lines) {
        assertThatExceptionOfType(SetupException.class)
                .isThrownBy(() -> run(lines))
                .withMessageContaining(why)
                .satisfies(e -> assertThat(e.step()).isEqualTo(step));
    }

    @Test
    void commandsRunAsItsUserWithWhatNeedsNoPrivilege() throws Exception {
        String status = run(STATUS, "UMask=0027", "NoNewPrivileges=yes", "Nice=5", "User=nobody");

        assertThat(status)
                .containsPattern("Uid:\\s65534\\s65534\\s65534\\s65534")
                .containsPattern("CapEff:\\s0+\n")
                .containsPattern("NoNewPrivs:\\s1\n")
                .containsPattern("Umask:\\s0027\n");
        assertThat(warnings).isEmpty();
    }

    @Test
    void foldersAreItsOwn() throws Exception {
        String written =
                run(
                        "RuntimeDirectory=r",
                        "StateDirectory=s",
                        "ExecStart=/bin/sh -c 'touch $RUNTIME_DIRECTORY/x && ls -nd $STATE_DIRECTORY'");

        assertThat(written).contains(" 65534 ");
        assertThat(folder.resolve("run/r/x")).exists();
    }

    @Test
    void whatIsNotItsToSetIsClampedAndSaid() throws Exception {
        run("LimitNOFILE=infinity", "OOMScoreAdjust=-900", "ExecStart=/bin/true");

        assertThat(warnings)
                .anyMatch(text -> text.contains("LimitNOFILE") && text.contains("clamped"))
                .anyMatch(text ->
                        text.contains("OOMScoreAdjust=-900 cannot be set: permission denied"))
                .hasSize(2);
    }

    @Test
    void whatIsNotSandboxedIsSaidOnce() throws Exception {
        assertThat(
                        run(
                                "PrivateTmp=yes",
                                "ProtectSystem=strict",
                                "ReadWritePaths=/no/such",
                                "PrivateDevices=yes",
                                "ExecStart=/bin/echo started"))
                .isEqualTo("started\n");
        assertThat(warnings)
                .containsExactly(
                        "not applied: PrivateDevices=, PrivateTmp=, ProtectSystem=,"
                                + " ReadWritePaths=: the manager does not run as root");
    }

    @Test
    void aStrictManagerStartsNothingWithoutItsSandbox() {
        mode = SandboxSupport.Mode.STRICT;
        refused(
                SetupException.Step.NAMESPACE,
                "not applied: ProtectSystem=: the manager does not run as root",
                "ProtectSystem=strict",
                STATUS);
        refused(
                SetupException.Step.NAMESPACE,
                "not applied: PrivateNetwork=",
                "PrivateNetwork=yes",
                STATUS);
    }

    @Test
    void aStrictManagerStartsNothingWithADirectiveThatIsNotSupported() throws Exception {
        mode = SandboxSupport.Mode.STRICT;
        refused(
                SetupException.Step.NAMESPACE,
                "SocketBindDeny= is not supported",
                "SocketBindDeny=any",
                STATUS);
        assertThat(run("Nice=5", STATUS)).contains("Uid:");
    }

    @Test
    void aLowNiceValueIsReportedAndNotApplied() throws Exception {
        assertThat(run("Nice=-5", "ExecStart=/bin/echo started")).isEqualTo("started\n");
        assertThat(warnings)
                .containsExactly("not applied: Nice=: the manager does not run as root");
    }

    @Test
    void whatNeedsRootIsRefused() {
        refused(SetupException.Step.USER, "runs as root", STATUS, "User=daemon");
        refused(SetupException.Step.GROUP, "runs as root", STATUS, "Group=adm");
        refused(SetupException.Step.USER, "runs as root", STATUS, "DynamicUser=yes");
    }

    @Test
    void whatNeedsACapabilityIsDroppedAndSaid() throws Exception {
        run("CapabilityBoundingSet=CAP_KILL", "AmbientCapabilities=CAP_KILL", STATUS);

        assertThat(warnings)
                .containsExactly(
                        "not applied: AmbientCapabilities=, CapabilityBoundingSet=: the manager"
                                + " does not run as root");
    }

    @Test
    void aBoundingSetOfAProcessThatCannotGainCapabilitiesIsApplied() throws Exception {
        run("CapabilityBoundingSet=CAP_KILL", "NoNewPrivileges=yes", STATUS);

        assertThat(warnings).isEmpty();
    }

    @Test
    void aWorkingDirectoryThatMayNotBeEnteredIsNamedAsSuch() throws Exception {
        Path closed = Files.createDirectory(folder.resolve("closed"));
        Files.createDirectory(closed.resolve("inside"));
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));

        refused(
                SetupException.Step.CHDIR,
                closed + " may not be entered",
                STATUS,
                "WorkingDirectory=" + closed);
        refused(
                SetupException.Step.CHDIR,
                "a directory above it denies access",
                STATUS,
                "WorkingDirectory=" + closed.resolve("inside"));
        refused(
                SetupException.Step.CHDIR,
                "is missing",
                STATUS,
                "WorkingDirectory=" + folder.resolve("nowhere"));
        assertThat(run("WorkingDirectory=-" + closed, "ExecStart=/bin/pwd")).isEqualTo("/\n");
    }
}
