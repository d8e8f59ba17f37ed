package io.holdfast.bus;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.dbus.marshal.MessageWriter;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A bus whose code is compiled allocates nothing per message, except for the entry of a call that
 * waits for its reply. A system call may make the JDK allocate a slice of the memory for errno,
 * where the compiler does not see that it does not escape.
 */
@Timeout(120)
class SteadyStateTest {
    private static final int MOST_ROUNDS = 20_000; // until the compiler has finished
    private static final int MESSAGES = 50;
    private static final int LESS_THAN_AN_OBJECT = 8; // bytes a message

    /** Bytes of a call until its reply: its charge, and its entries in three tables. */
    private static final int ENTRIES_OF_A_CALL = 192;

    private final Set<Long> others = busThreads();
    private final TestBus bus = TestBus.ours();
    private TestClient one;
    private TestClient other;
    private long thread;

    @BeforeEach
    void connect() throws Exception {
        one = bus.connect();
        other = bus.connect();
        var _ = one.heard();
        var _ = other.heard();
        Set<Long> now = busThreads();
        assertThat(now.removeAll(others) ? now : busThreads()).hasSize(1);
        thread = now.iterator().next();
    }

    @AfterEach
    void close() throws Exception {
        bus.close();
    }

    private static Set<Long> busThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals("holdfast-bus"))
                .map(Thread::threadId)
                .collect(Collectors.toSet());
    }

    /** Many messages of one kind, always with the same bytes. */
    private record Batch(TestClient from, ByteBuffer bytes, TestClient to, int arriving) {
        /** Sends one message alone to learn its length on arrival. */
        static Batch of(TestClient from, TestClient to, IntFunction<MessageWriter> message)
                throws Exception {
            from.sendBytes(TestClient.bytes(1, message.apply(1)));
            int length = to.socket().receive(ByteBuffer.allocate(1 << 16));
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (int serial = 1; serial <= MESSAGES; serial++) {
                all.writeBytes(TestClient.bytes(serial, message.apply(serial)));
            }
            return new Batch(from, ByteBuffer.wrap(all.toByteArray()), to, MESSAGES * length);
        }

        void pass() throws InterruptedException {
            from.socket().sendFully(bytes.duplicate());
            ByteBuffer into = ByteBuffer.allocate(arriving);
            while (into.hasRemaining()) {
                assertThat(to.socket().receive(into)).isPositive();
            }
        }
    }

    /** Sends rounds until the bus's thread has allocated next to nothing in one. */
    private void assertAllocatesNothing(Batch... batches) throws InterruptedException {
        assertAllocates(LESS_THAN_AN_OBJECT, batches);
    }

    private void assertAllocates(int most, Batch... batches) throws InterruptedException {
        long limit = (long) MESSAGES * batches.length * most;
        long least = Long.MAX_VALUE;
        for (int round = 0; round < MOST_ROUNDS && least > limit; round++) {
            long before = Allocation.by(thread);
            for (Batch batch : batches) {
                batch.pass();
            }
            least = Math.min(least, Allocation.by(thread) - before);
        }
        assertThat(least).as("bytes allocated in a round").isLessThanOrEqualTo(limit);
    }

    @Test
    void callsAndTheirReplies() throws Exception {
        Batch calls = Batch.of(one, other, _ -> one.call(other.name(), "Ask"));
        Batch replies =
                Batch.of(
                        other,
                        one,
                        serial -> other.writer().methodReturn(serial).destination(one.name()));
        calls.pass();
        replies.pass();
        assertAllocates(ENTRIES_OF_A_CALL, calls, replies);
    }

    @Test
    void signalsToAllWhoWantThem() throws Exception {
        assertThat(other.tryBus("org.freedesktop.DBus", "AddMatch", "interface='i.f'"))
                .isEqualTo("return");
        assertAllocatesNothing(Batch.of(one, other, _ -> one.signal("Told")));
    }

    @Test
    void largeMessages() throws Exception {
        byte[] large = new byte[1_000];
        assertAllocatesNothing(
                Batch.of(
                        one,
                        other,
                        _ ->
                                TestClient.body(
                                        one.writer()
                                                .signal("/p", "i.f", "Told")
                                                .destination(other.name()),
                                        large)));
    }
}
