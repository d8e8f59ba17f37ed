package io.holdfast.core.sys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.Needs;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Uses a pseudo-terminal whose master side a Perl script holds. */
@Timeout(60)
class TermiosTest {
    private static final String MASTER =
            "use Fcntl; $| = 1; sysopen(my $m, '/dev/ptmx', O_RDWR | O_NOCTTY) or die; "
                    + "my $z = pack('i', 0); ioctl($m, 0x40045431, $z) or die; " // TIOCSPTLCK
                    + "my $n = pack('i', 0); ioctl($m, 0x80045430, $n) or die; " // TIOCGPTN
                    + "print '/dev/pts/', unpack('i', $n), qq{\\n}; <STDIN>";

    @Test
    @Needs(programs = {"perl", "stty"})
    void theEchoGoesAndComesBackAsItWas() throws Exception {
        try (Child master =
                        Spawn.of("perl", "-e", MASTER)
                                .stdin(Stdio.pipe())
                                .stdout(Stdio.pipe())
                                .start();
                Fd terminal = terminal(master)) {
            String before = stty(terminal);
            Termios usual = Termios.of(terminal);
            assertThat(usual.echoes()).isTrue();

            assertThat(usual.withoutEcho().apply(terminal)).isZero();
            assertThat(Termios.of(terminal).echoes()).isFalse();
            assertThat(stty(terminal)).contains(" -echo ", " isig icanon ");
            assertThat(usual.apply(terminal)).isZero();
            assertThat(stty(terminal)).isEqualTo(before);
            assertThat(usual.withoutEcho().applyNow(terminal)).isZero();
            assertThat(Termios.of(terminal).echoes()).isFalse();
        }
    }

    private static Fd terminal(Child master) throws Exception {
        BufferedReader said =
                new BufferedReader(new InputStreamReader(master.stdout(), StandardCharsets.UTF_8));
        return Fcntl.open(said.readLine(), Fcntl.O_RDWR | Fcntl.O_NOCTTY);
    }

    private static String stty(Fd terminal) throws Exception {
        try (Child stty =
                Spawn.of("stty", "-a")
                        .stdin(Stdio.descriptor(terminal))
                        .stdout(Stdio.pipe())
                        .start()) {
            return new String(stty.stdout().readAllBytes(), StandardCharsets.UTF_8)
                    .replace('\n', ' ');
        }
    }

    @Test
    void whatIsNoTerminalSaysSo() {
        try (Fd nothing = Fcntl.open("/dev/null", Fcntl.O_RDWR)) {
            assertThatExceptionOfType(ErrnoException.class)
                    .isThrownBy(() -> Termios.of(nothing))
                    .matches(e -> e.errno() == Errno.ENOTTY);
        }
    }
}
