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
        public static void main(String[] arguments) throws InterruptedException {
            try (PidFd self = PidFd.self()) {
                System.out.println(self.proc().commandLine().contains(Inside.class.getName()));
            }
            Runnable held = () -> System.out.println("held");
            try (Child child = Spawn.of("/bin/true").whileHeld(_ -> held.run()).start()) {
                System.out.println("exited: " + child.await().isSuccess());
            } catch (ErrnoException e) {
                System.out.println("refused: " + Errno.name(e.errno()));
            }
        }
    }

    private static String output(String... options) throws Exception {
        List<String> command = new ArrayList<>(List.of("unshare", "--pid", "--fork"));
        List<String> all = new ArrayList<>(List.of("-XX:-UsePerfData"));
        all.addAll(List.of(options));
        command.addAll(ChildJvm.command(all, Inside.class));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        return output;
    }

    @Test
    void itsAttributesAreStillTheProcessesOwnAndAChildIsHeld() throws Exception {
        assertThat(output()).isEqualTo("true\nheld\nexited: true\n");
    }

    @Test
    void noChildSlipsByWhereItCanBeFoundByItsNumberOnly() throws Exception {
        assertThat(output("-Dio.holdfast.without=OWN_TABLE")).isEqualTo("true\nrefused: ENOENT\n");
    }
}
