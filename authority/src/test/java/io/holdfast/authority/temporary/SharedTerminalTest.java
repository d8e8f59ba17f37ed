package io.holdfast.authority.temporary;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.nio.file.attribute.PosixFilePermission.OWNER_READ;
import static java.nio.file.attribute.PosixFilePermission.OWNER_WRITE;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.core.Fd;
import io.holdfast.core.Signal;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.testkit.Needs;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tests commands of one shell on one terminal, and processes that only look similar. */
@Timeout(60)
@Needs(programs = "perl", cgroup2 = true)
class SharedTerminalTest {
    private static final String MASTER =
            "use Fcntl; $| = 1; sysopen(my $m, '/dev/ptmx', O_RDWR | O_NOCTTY) or die; "
                    + "my $z = pack('i', 0); ioctl($m, 0x40045431, $z) or die; "
                    + "my $n = pack('i', 0); ioctl($m, 0x80045430, $n) or die; "
                    + "print '/dev/pts/', unpack('i', $n), qq{\\n}; 1 while sysread $m, my $x, 1000";

    /** Has three children, of which the last is in a session of its own, and prints their PIDs. */
    private static final String SHELL =
            "use POSIX (); $| = 1; $SIG{HUP} = 'IGNORE'; my @c; for my $i (0 .. 2) { "
                    + "pipe my $r, my $w; my $p = fork; if (!$p) { POSIX::setsid() if $i == 2; "
                    + "close $r; close $w; sleep 1000; exit } close $w; <$r>; push @c, $p } "
                    + "print qq{@c\\n}; <STDIN>; kill 9, @c; waitpid $_, 0 for @c";

    /**
     * Has two children: one on its own terminal, and one that mounts another devpts and uses the
     * terminal of the same number there.
     */
    private static final String TWO_TERMINALS =
            """
            use Fcntl; use POSIX ();
            $| = 1;
            my $number = shift @ARGV;
            my $arm = (POSIX::uname())[4] eq 'aarch64';
            my ($unshare, $mount) = $arm ? (97, 40) : (272, 165);
            my @children;
            for my $elsewhere (0, 1) {
                pipe my $ready, my $report;
                my $child = fork;
                if (!$child) {
                    if ($elsewhere) {
                        POSIX::setsid();
                        syscall($unshare, 0x20000) == 0 or die; # CLONE_NEWNS
                        my $root = '/';
                        syscall($mount, 0, $root, 0, 0x44000, 0) == 0 or die; # MS_REC | MS_PRIVATE
                        my ($type, $place, $options) = ('devpts', '/dev/pts', 'ptmxmode=0666');
                        syscall($mount, $type, $place, $type, 0, $options) == 0 or die;
                        my @masters;
                        my $made = pack 'i', -1;
                        while (unpack('i', $made) != $number) {
                            sysopen my $master, '/dev/pts/ptmx', O_RDWR | O_NOCTTY or die;
                            push @masters, $master;
                            my $unlocked = pack 'i', 0;
                            ioctl $master, 0x40045431, $unlocked or die; # TIOCSPTLCK
                            ioctl $master, 0x80045430, $made or die; # TIOCGPTN
                        }
                        sysopen my $terminal, "/dev/pts/$number", O_RDWR or die;
                        syswrite $report, 'x';
                        sleep 1000;
                    }
                    syswrite $report, 'x';
                    sleep 1000;
                }
                close $report;
                sysread $ready, my $byte, 1 or die;
                push @children, $child;
            }
            print "@children\n";
            <STDIN>;
            kill 9, @children;
            waitpid $_, 0 for @children;
            """;

    private Process master;
    private BufferedReader screen;
    private Path device;
    private Fd terminal;

    @BeforeEach
    void open() throws IOException {
        master = new ProcessBuilder("perl", "-e", MASTER).start();
        screen = master.inputReader(UTF_8);
        device = Path.of(screen.readLine());
        terminal = Fcntl.open(device.toString(), Fcntl.O_RDWR | Fcntl.O_NOCTTY);
    }

    @AfterEach
    void close() throws Exception {
        terminal.close();
        master.destroyForcibly();
        int ignored = master.waitFor();
        screen.close();
    }

    private static Subject.UnixProcess subject(int pid, Origin origin, long uid) {
        return new Subject.UnixProcess(PidFd.open(pid), uid, origin, Optional.empty());
    }

    private static Optional<String> mismatch(int granted, int asking, Origin origin, long uid) {
        try (Subject.UnixProcess one = subject(granted, origin, 0);
                Subject.UnixProcess other = subject(asking, Origin.DESCRIPTOR, uid)) {
            return SharedTerminal.mismatch(one, other);
        }
    }

    @Test
    void onlyCommandsOfOneShellOnOneTerminalShare() throws Exception {
        try (Child shell =
                Spawn.of("perl", "-e", SHELL)
                        .newSession()
                        .terminal(terminal)
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe())
                        .start()) {
            String[] numbers =
                    new BufferedReader(new InputStreamReader(shell.stdout(), UTF_8))
                            .readLine()
                            .split(" ", -1);
            int first = Integer.parseInt(numbers[0]);
            int second = Integer.parseInt(numbers[1]);
            int elsewhere = Integer.parseInt(numbers[2]);
            assertThat(mismatch(first, second, Origin.DESCRIPTOR, 0)).isEmpty();
            assertThat(mismatch(first, first, Origin.NUMBER, 0)).isEmpty();
            assertThat(mismatch(first, second, Origin.NUMBER, 0)).as("unsafe").isPresent();
            assertThat(mismatch(first, second, Origin.DESCRIPTOR, 1)).as("user").isPresent();
            assertThat(mismatch(first, elsewhere, Origin.DESCRIPTOR, 0).orElseThrow())
                    .contains("terminal");
            assertThat(mismatch(first, shell.pidFd().pid(), Origin.DESCRIPTOR, 0).orElseThrow())
                    .contains("one parent");
            Path _ =
                    Files.setPosixFilePermissions(
                            device, Set.of(OWNER_READ, OWNER_WRITE)); // changes the ctime
            assertThat(mismatch(first, second, Origin.DESCRIPTOR, 0)).as("mesg(1)").isEmpty();
            try (PidFd one = PidFd.open(first);
                    PidFd other = PidFd.open(second);
                    PidFd last = PidFd.open(elsewhere)) {
                assertThat(shell.signal(Signal.KILL)).isTrue();
                var _ = shell.onExit().join();
                assertThat(mismatch(first, second, Origin.DESCRIPTOR, 0)).as("orphans").isPresent();
                for (PidFd each : new PidFd[] {one, other, last}) {
                    assertThat(each.signal(Signal.KILL)).isTrue();
                    var _ = each.await();
                }
            }
        }
    }

    /** A process can make a terminal with any number: each mount of devpts counts from 0. */
    @Test
    @Needs(root = true)
    void aTerminalOfTheSameNumberInAnotherDevptsIsAnother() throws Exception {
        String number = device.getFileName().toString();
        try (Child shell =
                Spawn.of("perl", "-e", TWO_TERMINALS, number)
                        .newSession()
                        .terminal(terminal)
                        .stdin(Stdio.pipe())
                        .stdout(Stdio.pipe())
                        .start()) {
            String[] numbers =
                    new BufferedReader(new InputStreamReader(shell.stdout(), UTF_8))
                            .readLine()
                            .split(" ", -1);
            int here = Integer.parseInt(numbers[0]);
            int elsewhere = Integer.parseInt(numbers[1]);
            try (PidFd one = PidFd.open(here);
                    PidFd other = PidFd.open(elsewhere)) {
                assertThat(one.proc().terminal()).isPresent().isEqualTo(other.proc().terminal());
            }
            assertThat(mismatch(here, elsewhere, Origin.DESCRIPTOR, 0).orElseThrow())
                    .contains("terminal");
            assertThat(mismatch(elsewhere, here, Origin.DESCRIPTOR, 0).orElseThrow())
                    .contains("terminal");
            shell.stdin().close();
            var _ = shell.onExit().join();
        }
    }
}
