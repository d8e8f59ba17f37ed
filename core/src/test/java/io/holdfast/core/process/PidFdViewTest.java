package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.SysStat;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.AsUser;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ForeignParent;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a pidfd gives access to: descriptors, namespaces, attributes in /proc. */
@Timeout(60)
class PidFdViewTest {
    private final OpenDescriptors before = OpenDescriptors.now();

    @AfterEach
    void nothingStaysOpen() {
        before.awaitSameNumber();
    }

    private static void assertErrno(int errno, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    /**
     * Writes a byte once it runs: its attributes are set by then, but its start returns a little
     * earlier.
     */
    private static final String SAY_AND_STAY = "$| = 1; print 'x'; sysread STDIN, my $x, 1";

    /** A child that waits until its standard input ends. */
    private static Spawn cat() {
        return Spawn.of("cat").stdin(Stdio.pipe()).stdout(Stdio.devNull());
    }

    @Test
    @Needs(root = true)
    void anAttributeThatIsRefusedNamesTheProcess() throws Exception {
        try (Child child = cat().start()) {
            Proc proc = child.pidFd().proc();
            AsUser.nobody(() -> {
                assertRefused(proc::environment, "environ", child.pidFd());
                assertRefused(proc::executable, "exe", child.pidFd());
                assertRefused(proc::directory, "cwd", child.pidFd());
            });
            end(child);
        }
    }

    private static void assertRefused(ThrowingCallable call, String file, PidFd process) {
        assertErrno(Errno.EACCES, call);
        assertThatThrownBy(call).hasMessageContaining(" " + file + " of " + process + ": EACCES");
    }

    private static void end(Child child) throws InterruptedException {
        assertThat(child.signal(Signal.KILL)).isTrue();
        assertThat(child.await()).isEqualTo(new Exit.Killed(Signal.KILL, false));
    }

    @Test
    void aDescriptorOfTheProcessIsTheSameOpenFile() throws Exception {
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Fd out = pipe[1];
                Child child = cat().descriptor(7, out).start()) {
            try (Fd theirs = child.pidFd().getFd(7)) {
                assertThat(SysStat.inode(theirs)).isEqualTo(SysStat.inode(out));
                byte[] word = "through".getBytes(StandardCharsets.UTF_8);
                assertThat(Unistd.write(theirs, word, 0, word.length)).isEqualTo(word.length);
                byte[] got = new byte[100];
                assertThat(Unistd.read(in, got, 0, got.length)).isEqualTo(word.length);
            }
            assertErrno(Errno.EBADF, () -> child.pidFd().getFd(8));
            end(child);
            assertErrno(Errno.ESRCH, () -> child.pidFd().getFd(7));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aNamespaceIsTheOneThatProcShows(Namespace.Kind kind) throws Exception {
        Path shown = Path.of("/proc/self/ns/" + kind.fileName());
        try (PidFd self = PidFd.self()) {
            if (!Files.exists(shown, java.nio.file.LinkOption.NOFOLLOW_LINKS)) {
                assertThatThrownBy(() -> self.namespace(kind)).isInstanceOf(ErrnoException.class);
                return;
            }
            try (Namespace ours = self.namespace(kind);
                    Namespace again = self.namespace(kind)) {
                String name = Files.readSymbolicLink(shown).toString();
                assertThat(name).endsWith(":[" + ours.inode() + "]");
                assertThat(ours).isEqualTo(again).hasSameHashCodeAs(again);
                assertThat(ours.kind()).isEqualTo(kind);
                assertThat(ours).hasToString(kind.fileName() + ":[" + ours.inode() + "]");
            }
        }
    }

    @Test
    @Needs(root = true, programs = "unshare")
    void anUnsharedNamespaceDiffersAndTheOthersDoNot() throws Exception {
        try (Child child =
                        Spawn.of("unshare", "--uts", "cat")
                                .stdin(Stdio.pipe())
                                .stdout(Stdio.pipe())
                                .start();
                PidFd self = PidFd.self()) {
            child.stdin().write('x');
            child.stdin().flush();
            assertThat(child.stdout().read()).as("it has unshared").isEqualTo('x');
            try (Namespace theirs = child.pidFd().namespace(Namespace.Kind.UTS);
                    Namespace ours = self.namespace(Namespace.Kind.UTS)) {
                assertThat(theirs).isNotEqualTo(ours);
            }
            try (Namespace theirs = child.pidFd().namespace(Namespace.Kind.NET);
                    Namespace ours = self.namespace(Namespace.Kind.NET)) {
                assertThat(theirs).isEqualTo(ours);
            }
            end(child);
            assertErrno(Errno.ESRCH, () -> child.pidFd().namespace(Namespace.Kind.UTS));
        }
    }

    @Test
    void aZombieHasNoNamespaces() throws InterruptedException {
        try (ForeignParent parent = ForeignParent.start();
                PidFd zombie = parent.held("zombie", "exit=0")) {
            assertThat(io.holdfast.core.Readiness.await(zombie.fd(), 1)).isNotZero();
            assertErrno(Errno.ESRCH, () -> zombie.namespace(Namespace.Kind.NET));
        }
    }

    @Test
    void itsCommandLineAndEnvironmentAreAsItWasStarted(@TempDir Path folder) throws Exception {
        try (Child child =
                Spawn.of("perl", "-e", SAY_AND_STAY, "", "two words", "ü\n", "")
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe())
                        .directory(folder)
                        .environment(Map.of("NAME", "value=with=equals", "EMPTY", "", "Ü", "€\n"))
                        .start()) {
            assertThat(child.stdout().read()).isEqualTo('x');
            Proc proc = child.pidFd().proc();
            Await.until(() -> !proc.commandLine().isEmpty()); // exec fills it in at its end
            assertThat(proc.commandLine())
                    .containsExactly("perl", "-e", SAY_AND_STAY, "", "two words", "ü\n", "");
            assertThat(proc.environment())
                    .isEqualTo(Map.of("NAME", "value=with=equals", "EMPTY", "", "Ü", "€\n"));
            assertThat(proc.executable().getFileName()).asString().startsWith("perl");
            assertThat(proc.directory()).isEqualTo(folder.toRealPath());
            assertThat(proc.name()).isEqualTo("perl");
            assertThat(proc.noNewPrivileges()).isFalse();
            try (PidFd self = PidFd.self()) {
                assertThat(proc.effectiveCapabilities())
                        .isEqualTo(self.proc().effectiveCapabilities());
            }
            end(child);
        }
    }

    @Test
    void whenItStartedIsBetweenBeforeAndAfter() throws Exception {
        Instant earliest = Instant.now().minus(Duration.ofSeconds(2)); // some tolerance
        try (Child child = cat().start()) {
            Instant latest = Instant.now();
            Proc proc = child.pidFd().proc();
            assertThat(proc.startTime()).isBetween(earliest, latest);
            try (PidFd self = PidFd.self()) {
                assertThat(proc.startTicks()).isGreaterThan(self.proc().startTicks());
                assertThat(proc.session()).isEqualTo(self.proc().session());
                assertThat(proc.groups()).isEqualTo(self.proc().groups());
                if (Cgroup.isMounted()) {
                    assertThat(proc.cgroup()).isEqualTo(self.proc().cgroup());
                }
            }
            end(child);
        }
    }

    @Test
    @Needs(root = true, programs = "setpriv")
    void itsGroupsAreReported() throws Exception {
        try (Child child =
                Spawn.of("setpriv", "--groups=7,4294967294", "cat")
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe())
                        .start()) {
            child.stdin().write('x');
            child.stdin().flush();
            assertThat(child.stdout().read()).isEqualTo('x');
            assertThat(child.pidFd().proc().groups()).isEqualTo(List.of(7L, 4294967294L));
            end(child);
        }
    }

    @Test
    void aNameWithBracketsAndBlanksDoesNotConfuse() throws Exception {
        try (Child child =
                Spawn.of(
                                "perl",
                                "-e",
                                "$0 = ') S 1 (x'; $| = 1; print 'x'; sysread STDIN, my $x, 1")
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe())
                        .newSession()
                        .start()) {
            assertThat(child.stdout().read()).isEqualTo('x');
            Proc proc = child.pidFd().proc();
            assertThat(proc.name()).isEqualTo(") S 1 (x");
            assertThat(proc.session()).isEqualTo(child.pidFd().pid());
            assertThat(proc.startTicks()).isPositive();
            end(child);
        }
    }

    @Test
    void aReapedProcessHasNoAttributes() throws Exception {
        try (Child child = cat().stdout(Stdio.pipe()).start()) {
            Proc proc = child.pidFd().proc();
            child.stdin().write('x');
            child.stdin().flush();
            assertThat(child.stdout().read()).isEqualTo('x');
            assertThat(proc.name()).isEqualTo("cat");
            end(child);
            for (ThrowingCallable call :
                    List.<ThrowingCallable>of(
                            proc::commandLine,
                            proc::environment,
                            proc::executable,
                            proc::directory,
                            proc::name,
                            proc::noNewPrivileges,
                            proc::groups,
                            proc::startTime,
                            proc::session,
                            proc::cgroup,
                            child.pidFd()::cgroupPath)) {
                assertErrno(Errno.ESRCH, call);
            }
        }
    }

    @Test
    void aZombieHasAnEmptyCommandLine() throws InterruptedException {
        try (ForeignParent parent = ForeignParent.start();
                PidFd zombie = parent.held("zombie", "exit=0")) {
            assertThat(io.holdfast.core.Readiness.await(zombie.fd(), 1)).isNotZero();
            assertThat(zombie.proc().commandLine()).isEmpty();
            assertThat(zombie.proc().startTicks()).isPositive();
            assertErrno(Errno.ENOENT, zombie.proc()::executable);
        }
    }
}
