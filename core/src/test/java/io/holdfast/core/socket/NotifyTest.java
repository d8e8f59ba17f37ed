package io.holdfast.core.socket;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.Exit;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.testkit.ChildJvm;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

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
}
