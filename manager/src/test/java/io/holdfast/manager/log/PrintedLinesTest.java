package io.holdfast.manager.log;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Errno;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.sys.Unistd;
import io.holdfast.manager.survival.DescriptorStore;
import io.holdfast.manager.survival.DurableText;
import io.holdfast.manager.survival.Keeper;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class PrintedLinesTest {
    private static final Duration LONG = Duration.ofMinutes(1);
    private static final PrintedLines.Bounds BOUNDS =
            new PrintedLines.Bounds(1000, 1 << 20, "lines: ");
    private static final long FILE = 4711;

    @TempDir private Path folder;
    private final List<Fd> kept = DescriptorStore.make(1 << 20);
    private final DescriptorStore store = DescriptorStore.open(kept);
    private final Fd[] pipe = Unistd.pipe2(0);

    @AfterEach
    void close() {
        store.close();
        pipe[0].close();
        pipe[1].close();
    }

    private PrintedLines open(Charset charset, PrintedLines.Bounds bounds) {
        return PrintedLines.open(store, pipe[1].duplicate(), charset, bounds);
    }

    private PrintedLines open() {
        return open(UTF_8, BOUNDS);
    }

    private String read(int bytes) {
        byte[] all = new byte[bytes];
        for (int at = 0; at < bytes; ) {
            int n = Unistd.read(pipe[0], all, at, bytes - at);
            assertThat(n).isPositive();
            at += n;
        }
        return new String(all, UTF_8);
    }

    /** Makes a file as a killed manager leaves it. */
    private DurableText left(String text, long... numbers) {
        DurableText file = DurableText.make("lines", numbers);
        file.write(DurableText.START, text.getBytes(UTF_8), text.length());
        assertThat(store.put(Keeper.PRINTED_LINES, List.of(file.file()))).isEmpty();
        return file;
    }

    @Test
    void linesComeInTheirOrderAndInTheCharactersOfTheReader() throws Exception {
        PrintedLines lines = open(US_ASCII, BOUNDS);
        lines.add("one");
        lines.add(List.of("two", "dr\u00e4i"), FILE, 5000);
        lines.add("four");
        assertThat(lines.flush(LONG)).isTrue();
        assertThat(lines.hasFailed()).isFalse();
        assertThat(read(18)).isEqualTo("one\ntwo\ndr?i\nfour\n");
        assertThat(lines.committedPosition(FILE)).isEqualTo(5000);
        assertThat(lines.committedPosition(FILE + 1)).isZero();
    }

    @Test
    void theReaderGetsWhatAnEarlierManagerDidNotGiveAndKnowsHowFarUnitsAre() throws Exception {
        String text = "given\nhalf given\nwaits\nnot committed";
        int end = text.indexOf("not");
        try (DurableText file = left(text, DurableText.START + end, 0, FILE, 5000)) {
            file.position(DurableText.START + "given\nhalf".length());
        }
        PrintedLines lines = open();
        assertThat(lines.committedPosition(FILE)).isEqualTo(5000);
        lines.add("more");
        assertThat(lines.committedPosition(FILE)).isEqualTo(5000);
        assertThat(lines.flush(LONG)).isTrue();
        assertThat(read(18)).isEqualTo(" given\nwaits\nmore\n");
    }

    @Test
    void howManyLinesAreMissingIsSaidEvenIfAnEarlierManagerDroppedThem() throws Exception {
        left("", DurableText.START, 3, 0, 0).close();
        PrintedLines lines = open();
        lines.add("more");
        assertThat(lines.flush(LONG)).isTrue();
        String dropped = "lines: dropped 3 lines here: the output is not read fast enough\n";
        assertThat(read(dropped.length() + 5)).isEqualTo(dropped + "more\n");
    }

    @Test
    void aManagerThatIsKilledWhileItHasTheFileBeginAnewLosesNothing() throws Exception {
        try (DurableText file = left("long ago\n", DurableText.START, 0, FILE, 5000)) {
            file.position(DurableText.START + 3_000_000);
        }
        PrintedLines lines = open();
        lines.add("more");
        assertThat(lines.flush(LONG)).isTrue();
        assertThat(read(5)).isEqualTo("more\n");
        assertThat(lines.committedPosition(FILE)).isEqualTo(5000);
    }

    @Test
    void aFileThatHasBecomeLongBeginsAnewWhenNothingWaits() throws Exception {
        long end = DurableText.START + PrintedLines.LONG - 3;
        try (DurableText file = left("", end, 0, FILE, 5000)) {
            file.position(end);
        }
        PrintedLines lines = open();
        lines.add("one");
        assertThat(lines.flush(LONG)).isTrue();
        lines.add("two");
        assertThat(lines.flush(LONG)).isTrue();
        assertThat(read(8)).isEqualTo("one\ntwo\n");
        try (DurableText file = DurableText.open(store.read(Keeper.PRINTED_LINES).getFirst())) {
            assertThat(file.position()).isEqualTo(DurableText.START + 4);
            assertThat(file.committed()).containsExactly(DurableText.START + 4, 0, FILE, 5000);
        }
    }

    @Test
    void aFileThatIsNoneIsSaidAndReplaced() throws Exception {
        assertThat(store.put(Keeper.PRINTED_LINES, List.of(pipe[0]))).isEmpty();
        PrintedLines lines = open();
        assertThat(lines.flush(LONG)).isTrue();
        assertThat(read(20)).isEqualTo("lines: printed lines");
        List<Fd> now = store.read(Keeper.PRINTED_LINES);
        try (DurableText text = DurableText.open(now.getFirst())) {
            assertThat(text.position()).isGreaterThan(DurableText.START);
        }
    }

    @Test
    void ofLinesThatAStalledReaderDoesNotTakeSomeAreDroppedAndCountedWhereTheyAreMissing()
            throws Exception {
        fill(pipe[1]);
        PrintedLines lines = open(UTF_8, new PrintedLines.Bounds(5, 1 << 20, "lines: "));
        for (int i = 0; i < 100; i += 2) {
            lines.add(List.of("line " + i, "line " + (i + 1)), FILE, 5000 + i);
        }
        assertThat(lines.flush(Duration.ofMillis(1))).isFalse();
        assertThat(lines.committedPosition(FILE)).isEqualTo(5098);
        List<String> got = new ArrayList<>();
        int expected = 0;
        StringBuilder partial = new StringBuilder();
        while (expected < 100) {
            partial.append(read(1).replace("\0", ""));
            if (partial.toString().endsWith("\n")) {
                String line = partial.toString().strip();
                partial.setLength(0);
                got.add(line);
                Matcher dropped = Pattern.compile("dropped (\\d+) lines here").matcher(line);
                if (dropped.find()) {
                    expected += Integer.parseInt(dropped.group(1));
                } else {
                    assertThat(line).isEqualTo("line " + expected);
                    expected++;
                }
            }
        }
        assertThat(expected).isEqualTo(100);
        assertThat(got).filteredOn(line -> line.contains("dropped")).isNotEmpty();
        lines.add("there is room again");
        assertThat(lines.flush(LONG)).isTrue();
        assertThat(read(20)).isEqualTo("there is room again\n");
    }

    private static void fill(Fd end) {
        int _ = Fcntl.setfl(end, Fcntl.O_NONBLOCK);
        byte[] chunk = new byte[1];
        int n;
        do {
            n = Unistd.write(end, chunk, 0, 1);
        } while (n == 1);
        assertThat(n).isEqualTo(-Errno.EAGAIN);
    }

    @Test
    void aReaderThatDoesNotWaitIsWaitedFor() throws Exception {
        fill(pipe[1]); // leaves it non-blocking
        PrintedLines lines = open();
        lines.add("a line");
        assertThat(lines.flush(Duration.ofMillis(1))).isFalse();
        String read = read(1);
        while (!read.endsWith("a line\n")) {
            read += read(1).replace("\0", "");
        }
        assertThat(lines.flush(LONG)).isTrue();
        assertThat(lines.hasFailed()).isFalse();
    }

    @Test
    void aFileThatIsAppendedToGetsAllLines() throws Exception {
        Path path = Files.writeString(folder.resolve("log"), "before\n");
        Fd file = Fcntl.open(path.toString(), Fcntl.O_WRONLY | Fcntl.O_APPEND);
        PrintedLines lines = PrintedLines.open(store, file, UTF_8, BOUNDS);
        String longLine = "x".repeat(10_000);
        lines.add(List.of("one", longLine), FILE, 5000);
        lines.add("three");
        assertThat(lines.flush(LONG)).isTrue();
        assertThat(path).hasContent("before\none\n" + longLine + "\nthree\n");
    }

    @Test
    void aReaderThatHasGoneCostsItsLinesAndNothingElse() throws Exception {
        PrintedLines lines = open();
        pipe[0].close();
        lines.add("one");
        assertThat(lines.flush(LONG)).isTrue();
        assertThat(lines.hasFailed()).isTrue();
        lines.add("two");
        assertThat(lines.flush(LONG)).isTrue();
    }

    @Test
    void moreThanAPipeHoldsComesThroughWhole() throws Exception {
        PrintedLines lines = open();
        StringBuilder expected = new StringBuilder();
        Thread reader;
        String[] got = {""};
        for (int i = 0; i < 900; i++) {
            expected.append("line ").append(i).append('z').append("y".repeat(i)).append('\n');
        }
        int size = expected.length();
        reader = Thread.ofPlatform().start(() -> got[0] = read(size));
        for (String line : expected.toString().lines().toList()) {
            lines.add(line);
        }
        assertThat(lines.flush(LONG)).isTrue();
        reader.join();
        assertThat(got[0]).isEqualTo(expected.toString());
    }
}
