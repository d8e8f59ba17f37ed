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
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tests that each directive that restricts system calls refuses its calls, and no others. */
@Timeout(120)
@Needs(
        root = true,
        programs = {"unshare", "chrt", "setarch", "bash", "python3"})
class SystemCallFilterTest {
    /**
     * Makes the system call of its second argument, with arguments that the kernel refuses, and
     * fails if it is not permitted.
     */
    private static final String CALL =
            """
            import ctypes, errno, sys
            libc = ctypes.CDLL(None, use_errno=True)
            libc.syscall(int(sys.argv[2], 0), int((sys.argv[3:] or ["0"])[0]), 0, 0, 0, 0, 0)
            sys.exit(ctypes.get_errno() == errno.EPERM)
            """;

    private static final String ID = "fedcba9876543210fedcba9876543210";

    @TempDir private Path folder = Path.of("/");

    private final List<String> warnings = new ArrayList<>();

    @BeforeEach
    void openTheFolder() throws Exception {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private record Result(Exit exit, String output) {}

    private Result run(String command, String... lines) throws Exception {
        return runCommand("/bin/sh -c '" + command + "'", lines);
    }

    private Result runCommand(String command, String... lines) throws Exception {
        ManagerScope scope = TestUnits.scopeIn(folder);
        List<String> all = new ArrayList<>(List.of(lines));
        all.add("ExecStart=" + command);
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
                            OneRun.surroundings(write, folder, Optional.empty(), ID),
                            new DynamicUids(folder.resolve("uids")),
                            SandboxSupport.find(SandboxSupport.Mode.AS_FOUND),
                            warnings::add);
            execution.prepare();
            try (Child child =
                    execution.start(
                            unit.service().commands().start().getFirst(),
                            java.util.Map.of(),
                            PassedDescriptors.NONE)) {
                closeForReaders(write);
                String text = new String(output.readAllBytes(), UTF_8);
                return new Result(child.await(), text);
            } finally {
                execution.close(false);
            }
        }
    }

    /** The end of the output is seen once nobody else has its write end. */
    private static void closeForReaders(Fd write) {
        write.close();
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    SystemCallFilter=~mkdir:EPERM mkdirat:EPERM | mkdir one
                    SystemCallFilter=~@clock                    | $CALL clock_settime 227
                    SystemCallFilter=@system-service            | $CALL swapoff 168
                    SystemCallArchitectures=native              | $CALL x32-getpid 0x40000027
                    RestrictNamespaces=yes                      | unshare --uts true
                    RestrictNamespaces=net                      | unshare --ipc true
                    RestrictNamespaces=~uts                     | unshare --uts true
                    RestrictAddressFamilies=AF_UNIX             | exec bash -c "exec 3<>/dev/udp/127.0.0.1/9"
                    RestrictAddressFamilies=~AF_INET            | exec bash -c "exec 3<>/dev/udp/127.0.0.1/9"
                    RestrictAddressFamilies=none                | exec bash -c "exec 3<>/dev/udp/127.0.0.1/9"
                    RestrictRealtime=yes                        | chrt --fifo 1 true
                    RestrictSUIDSGID=yes                        | chmod u+s made
                    RestrictSUIDSGID=yes                        | mkdir -m 2755 two
                    LockPersonality=yes                         | setarch --addr-no-randomize true
                    MemoryDenyWriteExecute=yes                  | python3 -c "import mmap; mmap.mmap(-1, 4096, prot=7)"
                    ProtectKernelLogs=yes                       | $CALL syslog 103 99
                    ProtectClock=yes                            | $CALL clock_settime 227
                    ProtectKernelModules=yes                    | $CALL delete_module 176
                    PrivateDevices=yes                          | $CALL iopl 172 9
                    """)
    @EnabledOnOs(value = OS.LINUX, architectures = "amd64") // numbers of system calls
    void whatADirectiveForbidsFailsAndSucceedsBesideIt(String directive, String forbidden)
            throws Exception {
        Path made = folder.resolve("work");
        Files.createDirectories(made);
        Path call = Files.writeString(folder.resolve("call.py"), CALL);
        Path script = folder.resolve("script");
        Files.writeString(
                script,
                "CALL=\"python3 "
                        + call
                        + "\"; cd "
                        + made
                        + "; rm -rf *; : >made; exec >/dev/null 2>&1; "
                        + forbidden
                        + "\n");
        String run = ". " + script;
        assertThat(run(run, directive).exit)
                .as("with " + directive)
                .isNotEqualTo(new Exit.Exited(0));
        assertThat(run(run).exit).as("without " + directive).isEqualTo(new Exit.Exited(0));
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

    @Test
    void aUserWhoseFilterForbidsToDropCapabilitiesGainsNoPrivileges() throws Exception {
        String status = "grep -E Uid\\|NoNewPrivs\\|Seccomp:\\|CapEff /proc/self/status";
        assertThat(run(status, "User=nobody", "SystemCallFilter=~@privileged").output.lines())
                .contains("CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2")
                .anyMatch(line -> line.startsWith("Uid:\t65534\t65534"));
        assertThat(run(status, "SystemCallFilter=~@privileged").output.lines())
                .contains("NoNewPrivs:\t0", "Seccomp:\t2")
                .anyMatch(line -> line.startsWith("Uid:\t0"));
    }

    @Test
    void aUserWithSecureBitsStartsUnderAFilterThatForbidsToDropCapabilities() throws Exception {
        String status = "grep -E NoNewPrivs\\|Seccomp:\\|CapEff\\|CapPrm /proc/self/status";
        assertThat(
                        run(
                                        status,
                                        "User=nobody",
                                        "SecureBits=noroot",
                                        "SystemCallFilter=~@privileged")
                                .output
                                .lines())
                .contains(
                        "CapPrm:\t0000000000000000",
                        "CapEff:\t0000000000000000",
                        "NoNewPrivs:\t1",
                        "Seccomp:\t2");
    }

    @Test
    void rootWithFewCapabilitiesHasThemAlone() throws Exception {
        String status = "grep -E NoNewPrivs\\|Cap /proc/self/status";
        assertThat(
                        run(
                                        status,
                                        "CapabilityBoundingSet=CAP_NET_RAW CAP_CHOWN",
                                        "SystemCallFilter=~@privileged")
                                .output
                                .lines())
                .contains(
                        "CapEff:\t0000000000002001", "CapBnd:\t0000000000002001", "NoNewPrivs:\t0");
    }

    @Test
    void theProgramSeesItsNameAndNoDescriptorOfItsSetup() throws Exception {
        assertThat(
                        run("ls /proc/self/fd; exec cat /proc/self/cmdline", "LockPersonality=yes")
                                .output)
                .isEqualTo("0\n1\n2\n3\ncat\0/proc/self/cmdline\0");
    }

    @Test
    void aProgramThatItsUserMayNotExecuteEndsWithTheStatusOfThatStep() throws Exception {
        Path closed = Files.createDirectory(folder.resolve("closed"));
        Files.copy(Path.of("/bin/true"), closed.resolve("program"));
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));
        assertThat(
                        runCommand(
                                        closed.resolve("program").toString(),
                                        "User=nobody",
                                        "LockPersonality=yes")
                                .exit)
                .isEqualTo(new Exit.Exited(203));
    }

    @Test
    void aCommandWithFullPrivilegesHasNoFilter() throws Exception {
        assertThat(
                        runCommand(
                                        "+/bin/grep Seccomp: /proc/self/status",
                                        "User=nobody",
                                        "SystemCallFilter=~mkdir")
                                .output)
                .isEqualTo("Seccomp:\t0\n");
    }
}
