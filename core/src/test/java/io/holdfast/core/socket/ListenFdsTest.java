package io.holdfast.core.socket;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.holdfast.core.Feature;
import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.testkit.ChildJvm;
import io.holdfast.core.testkit.Needs;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ListenFdsTest {
    private static final String PID = Long.toString(ProcessHandle.current().pid());

    /** A service that is started by socket activation. */
    static final class Activated {
        private Activated() {}

        public static void main(String[] arguments) {
            System.out.println(ListenFds.arePassed());
            for (int i = 0; i < 2; i++) {
                try {
                    List<ListenFds.Named> passed = ListenFds.take();
                    System.out.println(passed.stream().map(ListenFds.Named::name).toList());
                    passed.forEach(each -> each.fd().close());
                } catch (IllegalStateException e) {
                    System.out.println(e.getMessage());
                }
            }
        }
    }

    private static List<String> outputOf(Spawn spawn) throws Exception {
        try (Child child = spawn.stdout(Stdio.pipe()).stderr(Stdio.inherit()).start()) {
            String output = new String(child.stdout().readAllBytes(), UTF_8);
            assertThat(child.await()).isEqualTo(new Exit.Exited(0));
            return output.lines().toList();
        }
    }

    private static Spawn activated(UnixSocket[] pair) {
        return Spawn.of(ChildJvm.command(List.of(), Activated.class))
                .descriptor(3, pair[0].fd())
                .descriptor(4, pair[1].fd())
                .environment("LISTEN_FDS", "2")
                .environment("LISTEN_FDNAMES", "first:")
                .environmentOfPid("LISTEN_PID");
    }

    @Test
    void whatWasPassedIsTakenOnce() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket _ = pair[0];
                UnixSocket _ = pair[1]) {
            List<String> taken =
                    List.of(
                            "true",
                            "[first, unknown]",
                            "LISTEN_FDS: the descriptors were taken before");
            assertThat(outputOf(activated(pair))).isEqualTo(taken);
            assertThat(outputOf(activated(pair).environmentOfId("LISTEN_PIDFDID")))
                    .isEqualTo(taken);
        }
    }

    /** The PID alone may have been recycled meanwhile. */
    @Test
    @Needs(features = Feature.PIDFS)
    void whatIsForAnotherProcessOfOurNumberIsNotTaken() throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (PidFd self = PidFd.self();
                UnixSocket _ = pair[0];
                UnixSocket _ = pair[1]) {
            String other = Long.toUnsignedString(self.id()); // not the child's id
            assertThat(outputOf(activated(pair).environment("LISTEN_PIDFDID", other)))
                    .containsExactly("false", "[]", "[]");
        }
    }

    @Test
    void nothingIsTakenThatIsNotForUs() {
        for (Map<String, String> environment :
                List.of(
                        Map.<String, String>of(),
                        Map.of("LISTEN_FDS", "1"),
                        Map.of("LISTEN_PID", PID),
                        Map.of("LISTEN_PID", PID + "0", "LISTEN_FDS", "1"))) {
            assertThat(ListenFds.take(environment)).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "-1", "x", "1x", "8193", "99999999999"})
    void aCountThatIsNoneIsRefused(String count) {
        Map<String, String> environment = new HashMap<>();
        environment.put("LISTEN_PID", PID);
        environment.put("LISTEN_FDS", count);
        assertThatIllegalStateException()
                .isThrownBy(() -> ListenFds.take(environment))
                .withMessage("LISTEN_FDS=" + count + " is not a number from 1 to 8192");
    }
}
