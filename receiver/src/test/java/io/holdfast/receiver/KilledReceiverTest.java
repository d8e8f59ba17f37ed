package io.holdfast.receiver;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.process.Child;
import io.holdfast.core.process.Spawn;
import io.holdfast.core.process.Stdio;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Await;
import io.holdfast.journal.Entry;
import io.holdfast.journal.JournalReader;
import io.holdfast.journal.Match;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Kills receivers, and looks for each line that was written to a stream. */
@Timeout(7200)
class KilledReceiverTest {
    private static final int WRITERS = 6;
    private static final int RECENT = 8; // archived files that the next receiver may need
    private static final List<String> UNLIMITED =
            List.of("-Dio.holdfast.receiver.rateBurst=1000000000");

    @TempDir private Path folder;
    private final AtomicLong written = new AtomicLong();
    private final AtomicInteger connected = new AtomicInteger();
    private final ReadWriteLock connecting = new ReentrantReadWriteLock();
    private final AtomicBoolean isOver = new AtomicBoolean();

    @Test
    void noLineOfAStreamIsLostOrDoubledHoweverOftenTheReceiverIsKilled() throws Exception {
        long seed = Long.getLong("io.holdfast.seed", new Random().nextLong());
        IO.println("seed " + seed);
        Random random = new Random(seed);
        int kills = Boolean.getBoolean("holdfast.long") ? 1_000 : 30;
        List<Future<Integer>> writers = new ArrayList<>();
        try (ReceiverProcess receiver = new ReceiverProcess(folder, UNLIMITED);
                ExecutorService threads = Executors.newCachedThreadPool()) {
            receiver.start();
            for (int i = 0; i < WRITERS; i++) {
                writers.add(threads.submit(writer(receiver, "w" + i, random.nextLong())));
            }
            try {
                for (int i = 0; i < kills; i++) {
                    long until = written.get() + random.nextInt(4000);
                    await(
                            receiver,
                            () -> written.get() >= until && connecting.writeLock().tryLock());
                    try {
                        receiver.kill();
                        moveOldFiles();
                    } finally {
                        connecting.writeLock().unlock();
                    }
                    receiver.start();
                }
            } finally {
                isOver.set(true);
            }
            await(receiver, () -> writers.stream().allMatch(Future::isDone));
            await(receiver, () -> receiver.stored() == 1); // all streams have ended
            receiver.terminate();
        }
        for (int i = 0; i < WRITERS; i++) {
            List<String> expected = lines("w" + i, writers.get(i).get());
            Match ofWriter = Match.field("SYSLOG_IDENTIFIER", "w" + i);
            assertThat(difference(messages(ofWriter, "w" + i), expected))
                    .as("seed %d", seed)
                    .isEmpty();
            assertThat(difference(messages(null, "w" + i), expected))
                    .as("seed %d, read without a filter", seed)
                    .isEmpty();
        }
    }

    @Test
    void aStreamThatWasThereBeforeTheReceiverNamesItsWriter() throws Exception {
        try (ReceiverProcess receiver = new ReceiverProcess(folder, UNLIMITED)) {
            try (UnixSocket early = UnixSocket.connect(receiver.at("stdout"), SocketType.STREAM)) {
                early.sendFully(ByteBuffer.wrap("w\n\n6\n0\n0\n0\n0\n".getBytes(UTF_8)));
                receiver.start();
                await(receiver, () -> receiver.keptStreams() == 1);
                early.sendFully(ByteBuffer.wrap("line\n".getBytes(UTF_8)));
            }
            await(receiver, () -> receiver.stored() == 1);
            receiver.terminate();
        }
        try (JournalReader reader = JournalReader.openFolders(List.of(folder.resolve("log")))) {
            Entry line = Objects.requireNonNull(reader.next());
            assertThat(line.text("MESSAGE")).contains("line");
            assertThat(line.text("_PIDFD_ID")).isPresent();
        }
    }

    /** One process writes the begin of the header, another one the rest. */
    @Test
    void aHeaderOfTwoWritersIsKnownAfterAKill() throws Exception {
        try (ReceiverProcess receiver = new ReceiverProcess(folder, UNLIMITED)) {
            receiver.start();
            try (UnixSocket socket = UnixSocket.connect(receiver.at("stdout"), SocketType.STREAM)) {
                await(receiver, () -> receiver.keptStreams() == 1);
                socket.sendFully(ByteBuffer.wrap("w\n\n6\n0".getBytes(UTF_8)));
                try (Child other =
                        Spawn.of("printf", "\\n0\\n")
                                .stdin(Stdio.devNull())
                                .stdout(Stdio.descriptor(socket.fd()))
                                .start()) {
                    assertThat(other.await().isSuccess()).isTrue();
                }
                try (UnixSocket later =
                        UnixSocket.connect(receiver.at("socket"), SocketType.DATAGRAM)) {
                    later.send(ByteBuffer.wrap("MESSAGE=later\n".getBytes(UTF_8)));
                }
                await(receiver, () -> isStored("later"));
                receiver.kill();
                receiver.start();
                socket.sendFully(ByteBuffer.wrap("0\n0\nline\n".getBytes(UTF_8)));
            }
            await(receiver, () -> receiver.stored() == 1);
            receiver.terminate();
        }
        assertThat(messages(null, "w")).containsExactly("line");
    }

    /** Each kill leaves an archived file, of which a receiver keeps 100. */
    private void moveOldFiles() throws IOException {
        Path old = Files.createDirectories(folder.resolve("old"));
        try (Stream<Path> files = Files.list(folder.resolve("log"))) {
            List<Path> archived =
                    files.filter(file -> file.toString().contains("@"))
                            .sorted(Comparator.comparingLong(file -> file.toFile().lastModified()))
                            .toList();
            for (Path file : archived.subList(0, Math.max(0, archived.size() - RECENT))) {
                var _ = Files.move(file, old.resolve(file.getFileName()));
            }
        }
    }

    private boolean isStored(String message) {
        try (JournalReader reader = JournalReader.openFolders(List.of(folder.resolve("log")))) {
            reader.filter(Match.field("MESSAGE", message));
            return reader.next() != null;
        }
    }

    /** Describes where the lines differ first; the lists are too long to be printed. */
    private static String difference(List<String> found, List<String> expected) {
        for (int i = 0; i < Math.max(found.size(), expected.size()); i++) {
            if (i >= found.size()
                    || i >= expected.size()
                    || !found.get(i).equals(expected.get(i))) {
                return "from line %d on: found %s of %d, expected %s of %d"
                        .formatted(
                                i,
                                found.subList(
                                        Math.min(found.size(), i), Math.min(found.size(), i + 3)),
                                found.size(),
                                expected.subList(
                                        Math.min(expected.size(), i),
                                        Math.min(expected.size(), i + 3)),
                                expected.size());
            }
        }
        return "";
    }

    private static void await(ReceiverProcess receiver, BooleanSupplier what) {
        Await.until(() -> {
            try {
                receiver.serve();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return what.getAsBoolean();
        });
    }

    private static List<String> lines(String name, int count) {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            lines.add(line(name, i));
        }
        return lines;
    }

    private static String line(String name, int number) {
        return name + " " + number + " x" + "x".repeat(number * 31 % 200);
    }

    private static int number(String line) {
        return Integer.parseInt(line.split(" ", -1)[1]);
    }

    /** Writes lines in pieces of any size, and connects anew now and then. */
    private Callable<Integer> writer(ReceiverProcess receiver, String name, long seed) {
        return () -> {
            Random random = new Random(seed);
            int count = 0;
            while (!isOver.get()) {
                try (UnixSocket socket = connect(receiver)) {
                    StringBuilder text = new StringBuilder(name + "\n\n6\n0\n0\n0\n0\n");
                    int most = count + 5000 + random.nextInt(20_000);
                    while (!isOver.get() && count < most) {
                        for (int i = random.nextInt(40); i > 0; i--) {
                            text.append(line(name, count++)).append('\n');
                            written.incrementAndGet();
                        }
                        int now = random.nextInt(text.length() + 1);
                        socket.sendFully(ByteBuffer.wrap(text.substring(0, now).getBytes(UTF_8)));
                        text.delete(0, now);
                    }
                    socket.sendFully(ByteBuffer.wrap(text.toString().getBytes(UTF_8)));
                }
            }
            return count;
        };
    }

    /** A connection that was just accepted, and not sent to the manager, dies with its receiver. */
    private UnixSocket connect(ReceiverProcess receiver) throws InterruptedException {
        connecting.readLock().lock();
        try {
            UnixSocket socket = UnixSocket.connect(receiver.at("stdout"), SocketType.STREAM);
            int number = connected.incrementAndGet();
            Await.until(() -> receiver.keptStreams() >= number);
            return socket;
        } finally {
            connecting.readLock().unlock();
        }
    }

    /**
     * Returns the lines of a writer, stream by stream. The first lines that a writer sends to its
     * next stream may be received before the last ones of the stream before: order is kept within a
     * stream only.
     */
    private List<String> messages(@Nullable Match match, String name) {
        Map<String, List<String>> ofStreams = new HashMap<>();
        List<Path> folders =
                Stream.of("log", "old").map(folder::resolve).filter(Files::isDirectory).toList();
        try (JournalReader reader = JournalReader.openFolders(folders)) {
            reader.filter(match);
            reader.seekHead();
            for (Entry entry = reader.next(); entry != null; entry = reader.next()) {
                if (entry.text("SYSLOG_IDENTIFIER").filter(name::equals).isPresent()) {
                    ofStreams
                            .computeIfAbsent(
                                    entry.text("_STREAM_ID").orElse(""), _ -> new ArrayList<>())
                            .add(entry.text("MESSAGE").orElse(""));
                }
            }
            assertThat(reader.problems()).isEmpty();
        }
        return ofStreams.values().stream()
                .sorted(Comparator.comparingInt(lines -> number(lines.getFirst())))
                .flatMap(List::stream)
                .toList();
    }
}
