package io.holdfast.receiver;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.journal.Id128;
import io.holdfast.receiver.input.StreamLines.Header;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Leaves windows in the state after each step, and has the next receiver continue them. */
class StreamWindowTest {
    private static final String OWNER = "x.service";
    private static final Header HEADER = new Header("me", OWNER, 30, true);

    private final UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
    private StreamWindows windows = StreamWindows.make(4);

    @AfterEach
    void close() {
        windows.close();
        pair[0].close();
        pair[1].close();
    }

    private void write(String text) {
        assertThat(pair[0].trySend(ByteBuffer.wrap(text.getBytes(UTF_8)))).isEqualTo(text.length());
    }

    /** Receives into a window; the receiver may be killed before it notes that. */
    private int receive(StreamWindow window) {
        return pair[1].tryReceive(window.room(OWNER));
    }

    /** The next receiver, after this one was killed. */
    private StreamWindow next() {
        restart();
        return Objects.requireNonNull(windows.find(pair[1]));
    }

    private void restart() {
        Fd file = windows.file().duplicate();
        windows.close();
        windows = StreamWindows.takeOver(file, 4);
    }

    private static String text(StreamWindow window) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        window.unsettled().forEach(all::writeBytes);
        return all.toString(UTF_8);
    }

    private StreamWindow open() {
        return Objects.requireNonNull(windows.open(pair[1]));
    }

    @Test
    void whatWasReceivedIsKnownThoughNobodyNotedIt() {
        StreamWindow window = open();
        Id128 id = window.id();
        write("one\ntwo\n");
        assertThat(receive(window)).isEqualTo(8);
        StreamWindow next = next();
        assertThat(text(next)).isEqualTo("one\ntwo\n");
        assertThat(next.total()).isEqualTo(8);
        assertThat(next.id()).isEqualTo(id);
        assertThat(next.header()).as("it is in the data").isNull();
    }

    @Test
    void whatIsSettledIsKnownToBeStored() {
        StreamWindow window = open();
        write("one\ntwo\nthr");
        window.received(receive(window));
        window.header(HEADER);
        window.settle(8, 77);
        StreamWindow next = next();
        assertThat(text(next)).isEqualTo("thr");
        assertThat(next.sequence()).isEqualTo(77);
        assertThat(next.header()).isEqualTo(HEADER);
        write("ee\n");
        assertThat(next.received(receive(next))).isEqualTo("ee\n".getBytes(UTF_8));
        assertThat(text(next())).isEqualTo("three\n");
    }

    @Test
    void aLineThatWasCutIsCutAtTheSamePlace() {
        StreamWindow window = open();
        write("abcdef");
        window.received(receive(window));
        window.cut(3);
        assertThat(next().unsettled())
                .containsExactly("abc".getBytes(UTF_8), "def".getBytes(UTF_8));
    }

    @Test
    void aDescriptorOfAnotherStreamFindsNoWindow() {
        StreamWindow _ = open();
        UnixSocket[] other = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket one = other[0];
                UnixSocket two = other[1]) {
            restart();
            assertThat(windows.find(one)).isNull();
            assertThat(windows.find(two)).isNull();
        }
    }

    @Test
    void aWindowThatEndedIsUsedAgain() {
        for (int i = 0; i < 100; i++) {
            StreamWindow window = open();
            write("x\n");
            window.received(receive(window));
            window.settle(2, 1);
            window.close();
        }
        restart();
        assertThat(windows.find(pair[1])).as("of a stream that has ended").isNull();
    }

    /** Random steps with a kill after each: the stream is what was written. */
    @Test
    void nothingIsLostAfterAnyStepOfALongStream() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        StreamWindow window = open();
        StringBuilder written = new StringBuilder();
        StringBuilder found = new StringBuilder();
        long settled = 0;
        for (int step = 0; step < 3000; step++) {
            switch (random.nextInt(4)) {
                case 0 -> {
                    String text = "%06d".formatted(step) + "x".repeat(random.nextInt(30_000));
                    int sent = pair[0].trySend(ByteBuffer.wrap(text.getBytes(UTF_8)));
                    written.append(text, 0, Math.max(0, sent));
                }
                case 1 -> {
                    if (window.room(OWNER).hasRemaining()) {
                        int count = receive(window);
                        if (count > 0) {
                            found.append(new String(window.received(count), UTF_8));
                        }
                    }
                }
                case 2 -> {
                    settled += random.nextLong(window.total() - settled + 1);
                    window.settle(settled, step);
                }
                default -> {
                    if (random.nextInt(4) == 0) {
                        windows.shrink();
                    }
                    window = next();
                    assertThat(window.total()).as("seed %d", seed).isEqualTo(found.length());
                    assertThat(text(window).equals(found.substring((int) settled)))
                            .as("seed %d, step %d", seed, step)
                            .isTrue();
                }
            }
        }
        assertThat(written.toString().startsWith(found.toString())).as("seed %d", seed).isTrue();
        assertThat(found.length()).isGreaterThan(StreamWindow.DATA);
    }

    /** A move to the beginning would overwrite the rest before it counts. */
    @Test
    void aRestOnBothEndsOfTheRingIsNotMoved() {
        StreamWindow window = open();
        receiveAll(window, StreamWindow.DATA - 100);
        window.settle(StreamWindow.DATA - 200, 1);
        receiveAll(window, 200);
        window.settle(StreamWindow.DATA - 50, 2);
        windows.shrink();
        assertThat(windows.areSomeWhole()).as("the window keeps its memory").isTrue();
        assertThat(text(window)).isEqualTo("x".repeat(150));
        StreamWindow next = next();
        assertThat(text(next)).isEqualTo("x".repeat(150));
        next.settle(next.total(), 3);
        windows.shrink();
        assertThat(windows.areSomeWhole()).isFalse();
    }

    private void receiveAll(StreamWindow window, int count) {
        for (int left = count; left > 0; ) {
            write("x".repeat(Math.min(left, 4096)));
            int received = receive(window);
            while (received > 0) {
                window.received(received);
                left -= received;
                received = receive(window);
            }
        }
    }

    /** Without a grant of memory, a window holds little, and a quiet stream is received on. */
    @Test
    void aUserWhoTakesMuchLeavesLittleToEachStreamAndEnoughToOthers() {
        StreamWindow window = open();
        List<String> users = List.of("user 1", "user 2", "user 3");
        for (String user : users) {
            while (windows.grant(window, user)) {
                // takes all that this user may have
            }
        }
        for (int i = 0; i < 1000; i++) {
            write("a line of a quiet stream ".repeat(10) + "\n");
            int count = receive(window);
            assertThat(count).isEqualTo(251);
            window.received(count);
            window.settle(window.total(), i);
        }
        assertThat(windows.grant(window, "another user")).isTrue();
    }
}
