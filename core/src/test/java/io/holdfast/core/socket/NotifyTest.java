package io.holdfast.core.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.sys.Deadline;
import io.holdfast.core.testkit.ChildJvm;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class NotifyTest {
    /** A service whose main thread was interrupted, which ends it. */
    static final class Interrupted {
        public static void main(String[] arguments) {
            Thread.currentThread().interrupt();
            boolean sent = Notify.send("STOPPING=1");
            System.exit(sent && Thread.interrupted() ? 0 : 1);
        }
    }

    @Test
    void anInterruptedThreadReportsTheState(@TempDir Path folder) throws InterruptedException {
        Path path = folder.resolve("notify");
        try (UnixSocket manager = UnixSocket.bind(UnixAddress.path(path));
                Child service =
                        Spawn.of(ChildJvm.command(List.of(), Interrupted.class))
                                .environment("NOTIFY_SOCKET", path.toString())
                                .start()) {
            assertThat(service.await()).isEqualTo(new Exit.Exited(0));
            assertThat(Messages.receive(manager)).isEqualTo("STOPPING=1");
        }
    }

    private static final Duration LONG = Duration.ofSeconds(50);

    /** Receives one message as a manager does, and closes its descriptors. */
    private static String process(UnixSocket manager) throws InterruptedException {
        try (Ancillary ancillary = Ancillary.ofDescriptors(1)) {
            return Messages.receive(manager, ancillary);
        }
    }

    @Test
    void readinessIsReportedAndWaitsForTheManager(@TempDir Path folder) throws Exception {
        String path = folder.resolve("notify").toString();
        try (UnixSocket manager = UnixSocket.bind(UnixAddress.parse(path))) {
            FutureTask<Boolean> ready = new FutureTask<>(() -> Notify.ready(path, LONG));
            Thread service = Thread.ofVirtual().start(ready);
            assertThat(process(manager)).isEqualTo("READY=1");
            try (Ancillary ancillary = Ancillary.ofDescriptors(1)) {
                assertThat(Messages.receive(manager, ancillary)).isEqualTo("BARRIER=1");
                assertThat(ready.isDone()).isFalse();
            }
            assertThat(ready.get()).isTrue();
            service.join();
        }
    }

    @Test
    void aManagerThatDoesNotReceiveEndsNoWaitButByTime(@TempDir Path folder) throws Exception {
        String path = folder.resolve("notify").toString();
        Duration limit = Duration.ofMillis(20);
        try (UnixSocket manager = UnixSocket.bind(UnixAddress.parse(path))) {
            assertThat(Notify.ready(path, limit)).isFalse(); // its barrier stays
            try (UnixSocket sender = UnixSocket.datagram()) {
                int sent;
                do {
                    sent = sender.trySendTo(UnixAddress.parse(path), Messages.of("x"), List.of());
                } while (sent != UnixSocket.WOULD_BLOCK);
            }
            assertThat(Notify.ready(path, limit)).isFalse(); // there is no room for it
            assertThat(Notify.barrier(path, Deadline.after(limit))).isFalse();
            assertThat(process(manager)).isEqualTo("READY=1");
        }
        assertThat(Notify.ready(path, LONG)).isFalse(); // nobody listens
        assertThat(Notify.ready(null, LONG)).isFalse();
    }

    @Test
    void anInterruptEndsTheWaitForTheManager(@TempDir Path folder) {
        String path = folder.resolve("notify").toString();
        try (UnixSocket _ = UnixSocket.bind(UnixAddress.parse(path))) {
            Thread.currentThread().interrupt();
            assertThatExceptionOfType(InterruptedException.class)
                    .isThrownBy(() -> Notify.ready(path, LONG));
        }
    }

    @Test
    void aMainProcessIsReportedWithItsId() {
        try (PidFd self = PidFd.self()) {
            String pid = "MAINPID=" + ProcessHandle.current().pid();
            assertThat(Notify.assignmentsFor(self))
                    .isEqualTo(
                            self.processId().pidfdId().isEmpty()
                                    ? pid
                                    : pid + "\nMAINPIDFDID=" + Long.toUnsignedString(self.id()));
        }
    }

    @Test
    void theIntervalOfTheWatchdogIsReadIfItIsForUs() {
        String pid = Long.toString(ProcessHandle.current().pid());
        Map<String, String> watched = Map.of("WATCHDOG_USEC", "1500000", "WATCHDOG_PID", pid);
        assertThat(Notify.watchdogInterval(watched)).contains(Duration.ofMillis(1500));
        assertThat(Notify.watchdogInterval(Map.of("WATCHDOG_USEC", "1")))
                .contains(Duration.ofNanos(1000));
        assertThat(Notify.watchdogInterval(Map.of())).isEmpty();
        assertThat(Notify.watchdogInterval(Map.of("WATCHDOG_USEC", "1", "WATCHDOG_PID", pid + "0")))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "0", "-1", "x", "1.5", "9999999999999999999"})
    void anIntervalThatIsNoneIsRefused(String micros) {
        assertThatIllegalStateException()
                .isThrownBy(() -> Notify.watchdogInterval(Map.of("WATCHDOG_USEC", micros)))
                .withMessageStartingWith("WATCHDOG_USEC=" + micros + " is not a positive number");
    }
}
