package io.holdfast.receiver.input;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** Tests both forms of syslog. */
class SyslogMessageTest {
    private static String parsed(String text) {
        SyslogMessage message = SyslogMessage.parse(text.getBytes(UTF_8));
        return "%s %d %s %s|%s"
                .formatted(
                        message.facility().map(Object::toString).orElse("-"),
                        message.level(),
                        message.identifier().orElse("-"),
                        message.pid().orElse("-"),
                        new String(message.text(), UTF_8));
    }

    @Test
    void theFormOfCLibraries() {
        assertThat(parsed("<30>Dec  1 12:00:00 sshd[12]: hello: you\n"))
                .isEqualTo("3 6 sshd 12|hello: you");
        assertThat(parsed("<13>prog: x")).isEqualTo("1 5 prog -|x");
        assertThat(parsed("<0>plain text")).isEqualTo("0 0 - -|plain text");
        assertThat(parsed("no priority")).isEqualTo("- 5 - -|no priority");
    }

    @Test
    void theFormOfRfc5424() {
        assertThat(parsed("<165>1 2026-12-01T12:00:00Z host app 77 ID47 [a b=\"c\\]d\"][e] hello"))
                .isEqualTo("20 5 app 77|hello");
        assertThat(parsed("<14>1 - - - - - - ")).isEqualTo("1 6 - -|");
    }

    @Test
    void whatIsNoHeaderIsText() {
        assertThat(parsed("<192>x: y")).isEqualTo("- 5 <192>x -|y");
        assertThat(parsed("<>x")).isEqualTo("- 5 - -|<>x");
        assertThat(parsed("http://x/")).isEqualTo("- 5 - -|http://x/");
        assertThat(parsed("")).isEqualTo("- 5 - -|");
    }

    @Test
    void bytesThatAreNoUtf8AreKept() {
        byte[] raw = {'<', '1', '4', '>', 'p', ':', ' ', (byte) 0xff, 0, 'x'};
        SyslogMessage message = SyslogMessage.parse(raw);
        assertThat(message.text()).containsExactly(0xff, 0, 'x');
        assertThat(message.fields()).anyMatch(field -> field.hasName("SYSLOG_RAW"));
    }

    @Test
    void anyBytesAreParsedInLinearTime() {
        Random random = new Random(5);
        byte[] alphabet = "<1>[]:- \\\"a\n".getBytes(UTF_8);
        for (int i = 0; i < 20_000; i++) {
            byte[] message = new byte[random.nextInt(80)];
            for (int at = 0; at < message.length; at++) {
                message[at] = alphabet[random.nextInt(alphabet.length)];
            }
            assertThat(SyslogMessage.parse(message).fields()).isNotEmpty();
        }
        assertThat(
                        SyslogMessage.parse(
                                        ("<13>1 a b c d e " + "[".repeat(200_000)).getBytes(UTF_8))
                                .text())
                .isNotEmpty();
    }
}
