package io.holdfast.manager.survival;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.core.sys.process.SysKcmp;
import io.holdfast.core.testkit.Gen;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The test keeps the sockets, as the keeper does, and opens stores one after the other. */
@Timeout(60)
class DescriptorStoreTest {
    private static final int ROOM = 4 << 20;
    private static final int FILES = 6;

    private final List<Fd> kept = DescriptorStore.make(ROOM);
    private final List<Fd> files =
            IntStream.range(0, FILES / 2).boxed().flatMap(_ -> Stream.of(Unistd.pipe2(0))).toList();

    @AfterEach
    void close() {
        kept.forEach(Fd::close);
        files.forEach(Fd::close);
    }

    private DescriptorStore open() {
        return DescriptorStore.open(kept.stream().map(Fd::duplicate).toList());
    }

    /** Returns the files in a store by their numbers in this test. */
    private Map<String, List<Integer>> content(DescriptorStore store) {
        Map<String, List<Integer>> all = new TreeMap<>();
        store.read((key, descriptors) -> {
            List<Integer> numbers = new ArrayList<>();
            for (Fd fd : descriptors) {
                numbers.add(
                        IntStream.range(0, FILES)
                                .filter(i -> SysKcmp.isSameFile(files.get(i), fd))
                                .findFirst()
                                .orElse(-1));
                fd.close();
            }
            all.put(key, numbers);
        });
        return all;
    }

    private List<Fd> files(Integer... numbers) {
        return Stream.of(numbers).map(files::get).toList();
    }

    @Test
    void theNextStoreHasWhatTheLastOneKept() {
        try (DescriptorStore first = open()) {
            assertThat(first.isEmpty()).isTrue();
            assertThat(first.put("a", files(0, 1))).isEmpty();
            assertThat(first.put("b", files(2))).isEmpty();
            assertThat(first.put("c", files(3))).isEmpty();
            assertThat(first.put("a", files(4))).isEmpty();
            first.remove("b");
            first.remove("never there");
        }
        for (int i = 0; i < 3; i++) {
            try (DescriptorStore next = open()) {
                assertThat(next.isEmpty()).isFalse();
                assertThat(content(next)).isEqualTo(Map.of("a", List.of(4), "c", List.of(3)));
            }
        }
    }

    @Test
    void whatWasRemovedIsClosedWhenThatIsAskedFor() throws Exception {
        Fd[] pipe = Unistd.pipe2(0);
        try (DescriptorStore store = open();
                Fd readEnd = pipe[0]) {
            assertThat(store.put("a", List.of(pipe[1]))).isEmpty();
            assertThat(store.put("b", files(0))).isEmpty();
            pipe[1].close();
            store.remove("a");
            store.closeRemoved();
            assertThat(Unistd.read(readEnd, new byte[1], 0, 1)).as("the end of file").isZero();
            assertThat(content(store)).isEqualTo(Map.of("b", List.of(0)));
        }
    }

    @Test
    void whatIsInACellIsClosedWhenItIsRemovedReplacedOrCleared() {
        try (DescriptorStore store = open()) {
            Fd removed = inCell(store, "a");
            Fd replaced = inCell(store, "b");
            Fd cleared = inCell(store, "c");
            assertThat(store.put("d", files(0))).isEmpty();
            store.remove("a");
            assertEnded(removed);
            assertThat(store.put("b", files(1))).isEmpty();
            assertEnded(replaced);
            assertThat(content(store)).containsKey("c").containsEntry("b", List.of(1));
            assertThat(Unistd.read(cleared, new byte[1], 0, 1)).isEqualTo(-Errno.EAGAIN);
            store.clear();
            assertEnded(cleared);
        }
    }

    @Test
    void whatAnEarlierStoreHasInACellIsClosedToo() {
        DescriptorStore first = open();
        Fd pipe = inCell(first, "a");
        first.close();
        assertThat(Unistd.read(pipe, new byte[1], 0, 1)).isEqualTo(-Errno.EAGAIN);
        try (DescriptorStore next = open()) {
            next.remove("a");
            assertEnded(pipe);
        }
    }

    /** The store is never rewritten for one descriptor: that would make n removals cost n². */
    @Test
    void aRemovalFromACellLeavesTheQueueAsItIs() {
        try (DescriptorStore store = open()) {
            for (int i = 0; i < 30; i++) {
                assertThat(store.putInCell("connection " + i, files(0))).isEmpty();
            }
            for (int i = 0; i < 29; i++) {
                store.remove("connection " + i);
                assertThat(store.generation()).as("number of the queue").isEqualTo(1);
            }
            assertThat(content(store)).isEqualTo(Map.of("connection 29", List.of(0)));
        }
    }

    /** Stores the writing end of a pipe; returns the reading end. */
    private static Fd inCell(DescriptorStore store, String key) {
        Fd[] pipe = Unistd.pipe2(Fcntl.O_NONBLOCK);
        assertThat(store.putInCell(key, List.of(pipe[1]))).isEmpty();
        pipe[1].close();
        return pipe[0];
    }

    private static void assertEnded(Fd pipe) {
        assertThat(Unistd.read(pipe, new byte[1], 0, 1)).as("the end of file").isZero();
        pipe.close();
    }

    static Stream<Gen> generators() {
        return Gen.cases(10);
    }

    @ParameterizedTest
    @MethodSource("generators")
    void itIsAMapWheneverItIsOpenedAnew(Gen gen) {
        Map<String, List<Integer>> model = new TreeMap<>();
        DescriptorStore store = open();
        for (int i = 0; i < 600; i++) {
            String key = "unit-" + gen.between(0, 8) + ".service";
            switch (gen.between(0, 9)) {
                case 0 -> {
                    store.close();
                    store = open();
                    assertThat(content(store)).isEqualTo(model);
                }
                case 1, 2, 3, 4 -> {
                    store.remove(key);
                    model.remove(key);
                }
                default -> {
                    List<Integer> numbers = List.of(gen.between(0, 5), gen.between(0, 5));
                    List<Fd> kept = files(numbers.toArray(Integer[]::new));
                    assertThat(gen.chance(0.5) ? store.put(key, kept) : store.putInCell(key, kept))
                            .isEmpty();
                    model.put(key, numbers);
                }
            }
            assertThat(store.isEmpty()).isEqualTo(model.isEmpty());
        }
        assertThat(content(store)).isEqualTo(model);
        store.close();
    }

    /** Puts a message into the second queue, like a manager that is killed afterwards. */
    private void sendToSecond(String message, Fd... descriptors) {
        UnixSocket in = UnixSocket.adopt(kept.get(2).duplicate());
        int n = in.trySend(ByteBuffer.wrap(message.getBytes(UTF_8)), List.of(descriptors));
        assertThat(n).isEqualTo(message.length());
        in.close();
    }

    @Test
    void aQueueThatIsNotWholeDoesNotCount() {
        try (DescriptorStore first = open()) {
            assertThat(first.put("a", files(0))).isEmpty();
        }
        sendToSecond("b2");
        sendToSecond("pa", files.get(1));
        for (int i = 0; i < 2; i++) {
            try (DescriptorStore next = open()) {
                assertThat(content(next)).isEqualTo(Map.of("a", List.of(0)));
            }
        }
    }

    @Test
    void ofTwoThatAreWholeTheLaterCounts() {
        try (DescriptorStore first = open()) {
            assertThat(first.put("a", files(0))).isEmpty();
        }
        sendToSecond("b2");
        sendToSecond("pb", files.get(1));
        sendToSecond("w");
        sendToSecond("pc", files.get(2));
        for (int i = 0; i < 2; i++) {
            try (DescriptorStore next = open()) {
                assertThat(content(next)).isEqualTo(Map.of("b", List.of(1), "c", List.of(2)));
            }
        }
    }

    @Test
    void whatHasNoRoomIsSaidAndTheRestStays() {
        List<Fd> small = DescriptorStore.make(4096);
        try (DescriptorStore store = DescriptorStore.open(small)) {
            int fitting = 0;
            while (store.put("unit-" + fitting, files(0)).isEmpty()) {
                fitting++;
            }
            assertThat(fitting).isPositive();
            assertThat(store.put("more", files(1))).get().asString().contains("net.core.wmem_max");
            assertThat(content(store)).hasSize(fitting).doesNotContainKey("more");
            store.remove("unit-0");
            assertThat(store.put("more", files(1))).isEmpty();
            assertThat(content(store)).hasSize(fitting).containsKey("more");
        }
    }
}
