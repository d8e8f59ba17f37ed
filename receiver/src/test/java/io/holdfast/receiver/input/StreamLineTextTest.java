package io.holdfast.receiver.input;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which text of a stream becomes an entry, as systemd's TEST-04-JOURNAL expects it. */
@Timeout(60)
class StreamLineTextTest {
    private static List<String> lines(boolean levelPrefix, String text) throws Exception {
        StreamLines stream = new StreamLines(1000);
        byte[] bytes =
                ("me\n\n30\n" + (levelPrefix ? 1 : 0) + "\n0\n0\n0\n" + text).getBytes(UTF_8);
        return stream.take(bytes, bytes.length).stream()
                .map(line -> line.priority() % 8 + ":" + new String(line.text(), UTF_8))
                .toList();
    }

    @Test
    void emptyLinesAreNone() throws Exception {
        assertThat(lines(false, "\n\n \t\n")).isEmpty();
        assertThat(lines(true, "<5>\n<6> \n<7>\n")).isEmpty();
        assertThat(lines(false, "<5>\n")).containsExactly("6:<5>");
    }

    @Test
    void blanksAtTheEndAreRemoved() throws Exception {
        assertThat(lines(false, "Trailing spaces \t \n")).containsExactly("6:Trailing spaces");
        assertThat(lines(true, "<5>Trailing spaces \t \n")).containsExactly("5:Trailing spaces");
    }

    @Test
    void blanksAtTheBeginningStay() throws Exception {
        assertThat(lines(false, " \t Leading spaces\n")).containsExactly("6: \t Leading spaces");
        assertThat(lines(true, "<5> \t Leading spaces\n")).containsExactly("5: \t Leading spaces");
    }
}
