package io.holdfast.core.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A {@code /proc} of another PID namespace than ours: the PIDs differ. */
@Timeout(60)
@Needs(root = true, programs = "unshare")
class ForeignProcTest {
    static final class Inside {
        public static void main(String[] arguments) {
            try (PidFd self = PidFd.self()) {
                System.out.println(self.proc().commandLine().contains(Inside.class.getName()));
            }
            try (Child child = Spawn.of("/bin/true").whileHeld(_ -> {}).start()) {
                System.out.println("unheld: " + child);
            } catch (ErrnoException e) {
                System.out.println("refused: " + Errno.name(e.errno()));
            }
        }
    }

    @Test
    void itsAttributesAreStillTheProcessesOwnAndNoChildSlipsBy() throws Exception {
        List<String> command = new ArrayList<>(List.of("unshare", "--pid", "--fork"));
        command.addAll(ChildJvm.command(List.of("-XX:-UsePerfData"), Inside.class));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .isEqualTo("true\nrefused: ENOENT\n");
        assertThat(process.waitFor()).isZero();
    }
}
