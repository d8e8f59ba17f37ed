package io.holdfast.manager.exec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.FdInputStream;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.settings.ManagerDefaults;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests that each directive that restricts system calls refuses its calls, and no others. */
@Timeout(120)
@Needs(
        root = true,
        programs = {"unshare", "chrt", "setarch", "bash", "dmesg"})
class SystemCallFilterTest {
    private static final String ID = "fedcba9876543210fedcba9876543210";

    @TempDir private Path folder = Path.of("/");

    private final List<String> warnings = new ArrayList<>();

    @BeforeEach
    void openTheFolder() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private record Result(Exit exit, String output) {}

    private Result run(String command, String... lines) throws Exception {
        ManagerScope scope = TestUnits.scopeIn(folder);
        List<String> all = new ArrayList<>(List.of(lines));
        all.add("ExecStart=/bin/sh -c '" + command + "'");
        ServiceUnit unit = TestUnits.service(scope, all.toArray(String[]::new));
        assertThat(unit.diagnostics())
                .noneMatch(each -> each.kind() == Diagnostic.Kind.REFUSED)
                .noneMatch(each -> each.kind() == Diagnostic.Kind.IGNORED);
        Fd[] pipe = Unistd.pipe2(0);
        try (FdInputStream output = new FdInputStream(pipe[0]);
                Fd write = pipe[1]) {
            Execution execution =
                    new Execution(
                            TestUnits.executed(unit),
                            scope,
                            new Execution.Surroundings(
                                    Optional.empty(),
                                    write,
                                    folder,
                                    Optional.empty(),
                                    ID,
                                    ManagerDefaults.STANDARD,
                                    false),
                            new DynamicUids(folder.resolve("uids")),
                            SandboxSupport.find(SandboxSupport.Mode.AS_FOUND),
                            warnings::add);
            execution.prepare();
            try (Child child =
                    execution.start(
                            unit.service().commands().start().getFirst(),
                            java.util.Map.of(),
                            PassedDescriptors.NONE)) {
                write.close();
                String text = new String(output.readAllBytes(), UTF_8);
                return new Result(child.await(), text);
            } finally {
                execution.close(false);
            }
        }
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            textBlock =
                    """
                    SystemCallFilter=~mkdir:EPERM mkdirat:EPERM | mkdir $0 2>/dev/null; mkdir made
                    RestrictNamespaces=yes                      | unshare --uts true
                    RestrictNamespaces=net                      | unshare --ipc true
                    RestrictAddressFamilies=AF_UNIX             | exec bash -c "exec 3<>/dev/udp/127.0.0.1/9"
                    RestrictRealtime=yes                        | chrt --fifo 1 true
                    RestrictSUIDSGID=yes                        | chmod u+s made
                    LockPersonality=yes                         | setarch --addr-no-randomize true
                    ProtectKernelLogs=yes                       | dmesg --read-clear --syslog --console-level 99
                    """)
    void whatADirectiveForbidsFails(String directive, String forbidden) throws Exception {
        Path made = folder.resolve("work");
        Files.createDirectories(made);
        String prepare = "cd " + made + "; rm -rf made; ";
        assertThat(run(prepare + ": >made; " + forbidden + " >/dev/null 2>&1", directive).exit)
                .as("with " + directive)
                .isNotEqualTo(new Exit.Exited(0));
        assertThat(run(prepare + ": >made; test -e made", directive).exit)
                .isEqualTo(new Exit.Exited(0));
    }

    @Test
    void anErrorOfACallIsThatOfTheUnit() throws Exception {
        String make = "mkdir " + folder.resolve("one");
        assertThat(run(make + " 2>&1", "SystemCallFilter=~mkdir:ENOTTY mkdirat:ENOTTY").output)
                .contains("Inappropriate ioctl");
        assertThat(run("exec " + make, "SystemCallFilter=~mkdir mkdirat").exit)
                .isInstanceOf(Exit.Killed.class);
    }

    @Test
    void aUserWithAFilterKeepsNoCapabilityAndMayGainPrivileges() throws Exception {
        String status = "grep -E NoNewPrivs\\|Seccomp:\\|Cap /proc/self/status";
        assertThat(run(status, "User=nobody", "SystemCallFilter=@system-service").output.lines())
                .contains(
                        "CapInh:\t0000000000000000",
                        "CapPrm:\t0000000000000000",
                        "CapEff:\t0000000000000000",
                        "CapAmb:\t0000000000000000",
                        "NoNewPrivs:\t0",
                        "Seccomp:\t2");
        assertThat(
                        run(
                                        status,
                                        "User=nobody",
                                        "SystemCallFilter=@system-service",
                                        "CapabilityBoundingSet=CAP_NET_RAW CAP_CHOWN",
                                        "AmbientCapabilities=CAP_NET_RAW",
                                        "NoNewPrivileges=yes")
                                .output
                                .lines())
                .contains(
                        "CapEff:\t0000000000002000",
                        "CapBnd:\t0000000000002001",
                        "CapAmb:\t0000000000002000",
                        "NoNewPrivs:\t1",
                        "Seccomp:\t2");
        assertThat(warnings).isEmpty();
    }
}
