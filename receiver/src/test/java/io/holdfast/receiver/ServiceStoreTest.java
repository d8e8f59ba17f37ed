package io.holdfast.receiver;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.EventLoop;
import io.holdfast.core.Fd;
import io.holdfast.core.socket.Ancillary;
import io.holdfast.core.socket.UnixAddress;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.process.SysMemfd;
import io.holdfast.core.testkit.Await;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Has a service manager go and return while descriptors are sent to it. */
@Timeout(60)
class ServiceStoreTest {
    @TempDir private Path folder;
    private final EventLoop loop = EventLoop.open();
    private final List<String> warnings = new ArrayList<>();
    private final AtomicInteger sent = new AtomicInteger();
    private ServiceStore store;
    private final Fd stream = SysMemfd.make("stream");

    @BeforeEach
    void open() {
        store =
                Objects.requireNonNull(
                        ServiceStore.of(
                                loop,
                                Map.of("NOTIFY_SOCKET", path().toString(), "FDSTORE", "8"),
                                warnings::add,
                                sent::incrementAndGet));
    }

    @AfterEach
    void close() {
        store.close();
        loop.close();
        stream.close();
    }

    private Path path() {
        return folder.resolve("notify");
    }

    private UnixSocket manager() throws Exception {
        boolean _ = Files.deleteIfExists(path());
        return UnixSocket.bind(UnixAddress.path(path()));
    }

    /** Returns what a manager receives: names, and a plus behind those with a descriptor. */
    private List<String> receive(UnixSocket manager, int count) {
        List<String> messages = new ArrayList<>();
        Await.until(() -> {
            int _ = loop.step(Duration.ofMillis(10));
            try (Ancillary beside = Ancillary.ofDescriptors(4)) {
                ByteBuffer into = ByteBuffer.allocate(1000);
                while (manager.tryReceive(into, beside) != UnixSocket.WOULD_BLOCK) {
                    String text = new String(into.array(), 0, into.position(), UTF_8);
                    List<Fd> descriptors = beside.takeDescriptors();
                    descriptors.forEach(Fd::close);
                    messages.add(
                            text.lines().findFirst().orElse("")
                                    + " "
                                    + text.substring(text.indexOf("FDNAME=") + 7)
                                    + "+".repeat(descriptors.size()));
                    into.clear();
                }
            }
            return messages.size() >= count;
        });
        return messages;
    }

    @Test
    void whatAManagerMissedIsSentToTheNextOne() throws Exception {
        try (UnixSocket first = manager()) {
            store.keep("a", stream);
            assertThat(receive(first, 1)).containsExactly("FDSTORE=1 a+");
        }
        store.keep("b", stream);
        store.drop("a");
        store.keep("c", stream);
        assertThat(store.isWaiting()).as("streams are accepted without a manager").isFalse();
        try (UnixSocket second = manager()) {
            assertThat(receive(second, 3))
                    .containsExactly("FDSTORE=1 b+", "FDSTOREREMOVE=1 a", "FDSTORE=1 c+");
        }
        assertThat(warnings).singleElement().asString().contains("until the manager listens again");
        assertThat(sent.get()).isPositive();
    }

    @Test
    void aStreamThatEndsMeanwhileIsNotSent() throws Exception {
        store.keep("a", stream);
        store.keep("b", stream);
        store.drop("a");
        store.keep("a", stream);
        try (UnixSocket manager = manager()) {
            assertThat(receive(manager, 2)).containsExactly("FDSTORE=1 b+", "FDSTORE=1 a+");
        }
    }
}
