package io.holdfast.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.OpenDescriptors;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FdInheritedTest {
    private static final int GIVEN = 5;
    private static final int NOWHERE = 4000;

    /** A program that inherits a descriptor. */
    static final class Heir {
        public static void main(String[] arguments) {
            try (Fd taken = Fd.inherited(GIVEN)) {
                byte[] word = new byte[8];
                int n = Unistd.read(taken, word, 0, word.length);
                System.out.println(new String(word, 0, n, StandardCharsets.US_ASCII));
                int flags = Fcntl.descriptorFlags(GIVEN);
                System.out.println(flags == Fcntl.FD_CLOEXEC ? "close-on-exec" : "flags " + flags);
                refused(GIVEN);
            }
            refused(GIVEN);
        }

        private static void refused(int number) {
            try (Fd again = Fd.inherited(number)) {
                System.out.println("taken over twice: " + again);
            } catch (ErrnoException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    @Test
    void whatTheParentHasLeftOpenIsTakenOverOnce() throws Exception {
        Fd[] pipe = Unistd.pipe2(0);
        try (Fd in = pipe[0];
                Fd out = pipe[1];
                Child heir =
                        Spawn.of(ChildJvm.command(List.of(), Heir.class))
                                .descriptor(GIVEN, in)
                                .stdout(Stdio.pipe())
                                .start()) {
            assertThat(Unistd.write(out, new byte[] {'w', 'o', 'r', 'd'}, 0, 4)).isEqualTo(4);
            String said = new String(heir.stdout().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(said.lines())
                    .containsExactly(
                            "word",
                            "close-on-exec",
                            "inherited descriptor 5: EBADF (bad descriptor); not inherited, or"
                                    + " taken over before: it is close-on-exec",
                            "inherited descriptor 5: EBADF (bad descriptor)");
            assertThat(heir.await()).isEqualTo(new Exit.Exited(0));
        }
    }

    @Test
    void whatThisProcessHasOpenedIsRefusedAndStaysItsOwners() {
        OpenDescriptors before = OpenDescriptors.now();
        try (Fd ours = Fcntl.open("/dev/null", Fcntl.O_RDONLY)) {
            int number = ours.with(n -> n);
            assertThatThrownBy(() -> Fd.inherited(number))
                    .isInstanceOfSatisfying(
                            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EBADF))
                    .hasMessageContaining("inherited descriptor " + number);
            assertThat(Fcntl.getfl(ours)).isNotNegative();
        }
        before.awaitSameNumber();
    }

    @Test
    void whatIsNotOpenOrJavasIsRefused() {
        assertThatThrownBy(() -> Fd.inherited(NOWHERE))
                .isInstanceOf(ErrnoException.class)
                .hasMessageContaining("inherited descriptor 4000: EBADF");
        for (int number : new int[] {Integer.MIN_VALUE, -10_000, -1, 0, 1, 2}) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> Fd.inherited(number))
                    .withMessageContaining(Integer.toString(number));
        }
    }
}
