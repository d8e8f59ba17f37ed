package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.Await;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import io.holdfast.core.testkit.OpenDescriptors;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A terminal whose other side is a Perl script. */
@Needs(programs = "perl")
@Timeout(60)
class SpawnTerminalTest {
    /** Opens a pseudoterminal, prints its name, and then what is written to it. */
    private static final String MASTER =
            "use Fcntl; $| = 1; sysopen(my $m, '/dev/ptmx', O_RDWR | O_NOCTTY) or die; "
                    + "my $z = pack('i', 0); ioctl($m, 0x40045431, $z) or die; " // TIOCSPTLCK:
                    // unlock
                    + "my $n = pack('i', 0); ioctl($m, 0x80045430, $n) or die; " // TIOCGPTN
                    + "print '/dev/pts/', unpack('i', $n), qq{\\n}; "
                    + "while (sysread $m, my $x, 1000) { print $x }";

    @TempDir Path folder;

    private final OpenDescriptors before = OpenDescriptors.now();
    private Process master;
    private BufferedReader screen;
    private Fd terminal;

    @BeforeEach
    void open() throws IOException {
        master =
                new ProcessBuilder("perl", "-e", MASTER)
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        screen = master.inputReader(StandardCharsets.UTF_8);
        terminal = Fcntl.open(screen.readLine(), Fcntl.O_RDWR | Fcntl.O_NOCTTY);
    }

    @AfterEach
    void close() throws Exception {
        terminal.close();
        master.destroyForcibly();
        int ignored = master.waitFor();
        screen.close();
        master.getOutputStream().close();
        master.getErrorStream().close();
        before.awaitSameNumber();
    }

    private static void awaitOnlyTheMaster() {
        Await.until(() -> {
            try {
                return SpawnErrorsTest.childrenOfOurs().size() == 1;
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    private static Spawn perl(String script) {
        return Spawn.of("perl", "-e", "use POSIX; " + script);
    }

    private static final String TELL =
            "open(my $t, '+>', '/dev/tty') or die \"no terminal: $!\"; "
                    + "print {$t} 'foreground ', POSIX::tcgetpgrp(fileno $t) == getpgrp() ? 1 : 0, "
                    + "' leader ', POSIX::getpgrp() == $$ ? 1 : 0, qq{\\n}";

    @Test
    void aSessionLeaderGetsItAsItsControllingTerminal() throws Exception {
        try (Child child = perl(TELL).newSession().terminal(terminal).start()) {
            assertThat(screen.readLine()).isEqualTo("foreground 1 leader 1");
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
        }
    }

    @Test
    void theStreamsAreTheTerminalIfTheyAreGiven() throws Exception {
        try (Child child =
                perl("print -t STDIN && -t STDOUT && -t STDERR ? 'yes' : 'no', qq{\\n}")
                        .newSession()
                        .terminal(terminal)
                        .stdin(Stdio.descriptor(terminal))
                        .stdout(Stdio.descriptor(terminal))
                        .stderr(Stdio.merged())
                        .start()) {
            assertThat(screen.readLine()).isEqualTo("yes");
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
        }
    }

    @Test
    void withoutATerminalASessionHasNone() throws Exception {
        assertThat(
                        SpawnTest.output(
                                perl("print open(my $t, '<', '/dev/tty') ? 'one' : 'none'")
                                        .newSession()))
                .isEqualTo("none");
    }

    @Test
    void aFileOfAStreamDoesNotBecomeTheTerminal() throws Exception {
        String name = terminal.with(n -> target(n));
        try (Child child =
                perl("print open(my $t, '<', '/dev/tty') ? 'one' : 'none', qq{\\n}")
                        .newSession()
                        .stdout(Stdio.to(Path.of(name)))
                        .start()) {
            assertThat(screen.readLine()).isEqualTo("none");
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
        }
    }

    private static String target(int number) {
        try {
            return Files.readSymbolicLink(Path.of("/proc/self/fd/" + number)).toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aJobOfASessionBecomesItsForeground() throws Exception {
        // a shell-like leader in a JVM of its own: this one has no terminal
        try (Child leader =
                Spawn.of(ChildJvm.command(List.of(), Leader.class))
                        .newSession()
                        .terminal(terminal)
                        .start()) {
            assertThat(screen.readLine()).isEqualTo("foreground 1 leader 1");
            assertThat(screen.readLine()).isEqualTo("its job exited with status 0");
            assertThat(leader.await()).isEqualTo(new Exit.Exited(0));
        }
    }

    @Test
    void aTerminalOfAnotherSessionIsRefusedAndNothingExecuted() throws Exception {
        String name = terminal.with(n -> target(n));
        Path trace = folder.resolve("trace");
        try (Child owner = perl(TELL + "; sleep 1000").newSession().terminal(terminal).start()) {
            assertThat(screen.readLine()).isEqualTo("foreground 1 leader 1");
            List<Spawn> attempts =
                    List.of(
                            Spawn.of("touch", trace.toString()),
                            Spawn.of("touch", trace.toString()).whileHeld(_ -> {}),
                            Spawn.of("touch", trace.toString()).noNewPrivileges());
            for (Spawn attempt : attempts) {
                assertThatThrownBy(() -> attempt.newSession().terminal(terminal).start())
                        .isInstanceOf(ErrnoException.class)
                        .hasMessageStartingWith("open " + name + ": EPERM")
                        .hasMessageContaining("another session's");
            }
            assertThat(trace).doesNotExist();
            assertThat(owner.pidFd().isAlive()).isTrue();
            assertThat(owner.signal(Signal.KILL)).isTrue();
            assertThat(owner.await()).isInstanceOf(Exit.Killed.class);
        }
        awaitOnlyTheMaster();
    }

    @Test
    void whatIsNoTerminalIsNamed() throws Exception {
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Fd out = pipe[1];
                Fd nothing = Fcntl.open("/dev/null", Fcntl.O_RDWR)) {
            for (Fd fd : List.of(in, out, nothing)) {
                for (Spawn attempt :
                        List.of(
                                Spawn.of("true").newSession(),
                                Spawn.of("true").newProcessGroup())) {
                    assertThatThrownBy(() -> attempt.terminal(fd).start())
                            .isInstanceOf(ErrnoException.class)
                            .hasMessageContaining(fd.with(n -> target(n)) + ": ENOTTY");
                }
            }
        }
        awaitOnlyTheMaster();
    }

    @Test
    void aTerminalNeedsASessionOrAGroupOfItsOwn() {
        assertThatIllegalStateException()
                .isThrownBy(() -> Spawn.of("true").terminal(terminal).start())
                .withMessageContaining("a new session or a new process group");
    }

    @Test
    void aForegroundThatIsNotOursToGiveIsNamedByItsTerminal() {
        String name = terminal.with(n -> target(n));
        assertThatThrownBy(() -> Spawn.of("true").newProcessGroup().terminal(terminal).start())
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining(name + ": ENOTTY")
                .hasMessageContaining("not the terminal of our session");
    }

    @Test
    void aTerminalThatWasHungUpIsNamed() throws Exception {
        String name = terminal.with(n -> target(n));
        master.destroyForcibly();
        int ignored = master.waitFor();
        assertThatThrownBy(() -> Spawn.of("true").newSession().terminal(terminal).start())
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining(name)
                .hasMessageContaining("EIO");
    }

    @Test
    void aNewSessionCannotHaveWhateverTerminalItHas() throws Exception {
        try (Child asking =
                Spawn.of(ChildJvm.command(List.of(), Asking.class))
                        .newSession()
                        .terminal(terminal)
                        .start()) {
            assertThat(screen.readLine()).startsWith("open /dev/tty: ENXIO").contains("itself");
            assertThat(asking.await()).isEqualTo(new Exit.Exited(0));
        }
    }

    /** Gives a new session the terminal by a name that refers to another terminal there. */
    static final class Asking {
        private Asking() {}

        public static void main(String[] arguments) throws Exception {
            try (Fd tty = Fcntl.open("/dev/tty", Fcntl.O_RDWR)) {
                String said = "started";
                try (Child child = Spawn.of("true").newSession().terminal(tty).start()) {
                    var _ = child.await();
                } catch (ErrnoException e) {
                    said = e.getMessage();
                }
                byte[] bytes = (said + "\n").getBytes(StandardCharsets.UTF_8);
                int ignored = Unistd.write(tty, bytes, 0, bytes.length);
            }
        }
    }

    /** A session leader that starts a job in the foreground. */
    static final class Leader {
        private Leader() {}

        public static void main(String[] arguments) throws Exception {
            try (Fd tty = Fcntl.open("/dev/tty", Fcntl.O_RDWR);
                    Child job = perl(TELL).newProcessGroup().terminal(tty).start()) {
                String said = "its job " + job.await() + "\n";
                byte[] bytes = said.getBytes(StandardCharsets.UTF_8);
                // we are in the background now, from where writing is allowed unless TOSTOP is set
                int ignored = Unistd.write(tty, bytes, 0, bytes.length);
            }
        }
    }
}
