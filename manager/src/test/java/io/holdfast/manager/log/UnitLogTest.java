package io.holdfast.manager.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Gen;
import io.holdfast.core.text.PrintableText;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(60)
class UnitLogTest {
    private static void write(UnitLog log, String text) {
        byte[] bytes = text.getBytes(UTF_8);
        log.write(bytes, 0, bytes.length);
    }

    @Test
    void linesMayComeInPieces() {
        UnitLog log = new UnitLog();
        write(log, "one\ntw");
        assertThat(log.last(10)).containsExactly("one");
        write(log, "o\r\n\nthree");
        assertThat(log.last(10)).containsExactly("one", "two", "");
        log.end();
        log.end();
        assertThat(log.last(10)).containsExactly("one", "two", "", "three");
        assertThat(log.last(1)).containsExactly("three");
    }

    @Test
    void onlyTheLastLinesAreKept() {
        UnitLog log = new UnitLog(3, 100);
        write(log, "1\n2\n3\n");
        assertThat(log.last(99)).containsExactly("1", "2", "3");
        write(log, "4\n");
        assertThat(log.last(99)).containsExactly("2", "3", "4");
    }

    @Test
    void aLineAtTheLimitIsWholeAndALongerOneIsCut() {
        UnitLog log = new UnitLog(10, 4);
        write(log, "abcd\nabcde\nab");
        write(log, "cdefgh");
        write(log, "ijk\nnext\n");
        assertThat(log.last(9))
                .containsExactly(
                        "abcd", "abcd" + PrintableText.CUT, "abcd" + PrintableText.CUT, "next");
    }

    @Test
    void noCharacterIsCutInTwo() {
        UnitLog log = new UnitLog(10, 4);
        write(log, "abcé\nabé!\n€€\nab😀\n😀!\n");
        assertThat(log.last(9))
                .containsExactly(
                        "abc" + PrintableText.CUT,
                        "abé" + PrintableText.CUT,
                        "€" + PrintableText.CUT,
                        "ab" + PrintableText.CUT,
                        "😀" + PrintableText.CUT);
    }

    @Test
    void whatIsNoTextIsReplaced() {
        UnitLog log = new UnitLog(10, 4);
        log.write(new byte[] {(byte) 0xFF, 'a', '\n'}, 0, 3);
        log.write(new byte[] {-128, -128, -128, -128, -128, '\n'}, 0, 6);
        assertThat(log.last(9)).containsExactly("\uFFFDa", "\uFFFD".repeat(4) + PrintableText.CUT);
    }

    @Test
    void aFollowerGetsWhatComesAfterWhatWasThere() {
        UnitLog log = new UnitLog();
        List<String> received = new ArrayList<>();
        write(log, "before\nhal");
        assertThat(log.follow(10, received::add)).containsExactly("before");
        write(log, "f\nafter\n");
        assertThat(received).containsExactly("half", "after");
    }

    static Stream<Gen> seeds() {
        return Gen.cases(200);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void howTheBytesAreSplitDoesNotMatter(Gen gen) {
        String text = gen.string("aé€😀\n\n\r", 200);
        byte[] bytes = text.getBytes(UTF_8);
        int width = gen.between(4, 20);
        UnitLog whole = new UnitLog(1000, width);
        whole.write(bytes, 0, bytes.length);
        whole.end();
        UnitLog pieces = new UnitLog(1000, width);
        for (int at = 0; at < bytes.length; ) {
            int count = Math.min(gen.between(0, 7), bytes.length - at);
            pieces.write(bytes, at, count);
            at += count;
        }
        pieces.end();
        assertThat(pieces.last(1000)).isEqualTo(whole.last(1000));
        assertThat(whole.last(1000))
                .allSatisfy(line ->
                        assertThat(line.replace(PrintableText.CUT, "").getBytes(UTF_8).length)
                                .isLessThanOrEqualTo(width));
    }
}
