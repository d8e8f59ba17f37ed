package io.holdfast.manager.notify;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.testkit.Gen;
import io.holdfast.manager.notify.NotifyMessage.MalformedException;
import io.holdfast.manager.notify.NotifyMessage.Watchdog;
import io.holdfast.manager.unit.section.ServiceSection.NotifyAccess;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class NotifyMessageTest {
    private static NotifyMessage parse(String text) throws MalformedException {
        return NotifyMessage.parse(text.getBytes(UTF_8));
    }

    @Test
    void readsEveryKey() throws MalformedException {
        NotifyMessage message =
                parse(
                        """
                        READY=1
                        RELOADING=1
                        MONOTONIC_USEC=123456789
                        STOPPING=1
                        STATUS=Processing requests = 50 % é
                        ERRNO=2
                        MAINPID=4711
                        MAINPIDFDID=18446744073709551615
                        MAINPIDFD=1
                        WATCHDOG=1
                        WATCHDOG_USEC=20000000
                        EXTEND_TIMEOUT_USEC=18446744073709551615
                        """);
        assertThat(message.ready()).isTrue();
        assertThat(message.reloading()).isTrue();
        assertThat(message.monotonicMicros()).hasValue(123_456_789);
        assertThat(message.stopping()).isTrue();
        assertThat(message.status()).contains("Processing requests = 50 % é");
        assertThat(message.errno()).hasValue(2);
        assertThat(message.mainPid()).hasValue(4711);
        assertThat(message.mainPidfdId()).hasValue(-1);
        assertThat(message.mainPidfd()).isTrue();
        assertThat(message.watchdog()).contains(Watchdog.PING);
        assertThat(message.watchdogMicros()).hasValue(20_000_000);
        assertThat(message.extendTimeoutMicros()).hasValue(Long.MAX_VALUE);
        assertThat(message.barrier()).isFalse();
        assertThat(message.unsupported()).isEmpty();
    }

    @Test
    void whatIsNotSaidIsNotThere() throws MalformedException {
        NotifyMessage message = parse("X_VENDOR=7");
        assertThat(message).isEqualTo(parse("a line without meaning\n=\n\n"));
        assertThat(message.ready()).isFalse();
        assertThat(message.status()).isEmpty();
        assertThat(message.mainPid()).isEmpty();
        assertThat(message.watchdog()).isEmpty();
    }

    @Test
    void oneNulAtTheEndIsAllowed() throws MalformedException {
        assertThat(parse("READY=1\0").ready()).isTrue();
        assertThatExceptionOfType(MalformedException.class)
                .isThrownBy(() -> parse("READY=1\0\0"))
                .withMessage("a NUL at byte 7");
    }

    @Test
    void theFirstOfTwoCounts() throws MalformedException {
        assertThat(parse("STATUS=a\nSTATUS=b").status()).contains("a");
    }

    @Test
    void keysThatAreNotSupportedAreNamed() throws MalformedException {
        assertThat(parse("READY=1\nRESTART_RESET=1").unsupported())
                .containsExactly("RESTART_RESET");
    }

    @Test
    void theAccessIsAWordOfNotifyAccess() throws MalformedException {
        assertThat(parse("NOTIFYACCESS=exec").access()).contains(NotifyAccess.EXEC);
        assertThat(parse("READY=1").access()).isEmpty();
        assertThatExceptionOfType(MalformedException.class)
                .isThrownBy(() -> parse("NOTIFYACCESS=some"))
                .withMessage("NOTIFYACCESS=some: not none, main, exec or all");
    }

    @Test
    void descriptorsAreStoredAndRemovedByName() throws MalformedException {
        assertThat(parse("FDSTORE=1").store())
                .isEqualTo(new NotifyMessage.Store(true, false, "stored", true));
        assertThat(parse("FDSTORE=1\nFDNAME=a b\nFDPOLL=0").store())
                .isEqualTo(new NotifyMessage.Store(true, false, "a b", false));
        assertThat(parse("FDSTOREREMOVE=1\nFDNAME=x").store())
                .isEqualTo(new NotifyMessage.Store(false, true, "x", true));
        String longest = "n".repeat(255);
        assertThat(parse("FDSTORE=1\nFDNAME=" + longest).store().name()).isEqualTo(longest);
        for (String bad :
                new String[] {
                    "FDSTORE=2",
                    "FDSTOREREMOVE=1",
                    "FDSTORE=1\nFDNAME=",
                    "FDSTORE=1\nFDNAME=a:b",
                    "FDSTORE=1\nFDNAME=\u00e9",
                    "FDSTORE=1\nFDNAME=n" + longest,
                    "FDSTORE=1\nFDPOLL=no"
                }) {
            assertThatExceptionOfType(MalformedException.class)
                    .as(bad)
                    .isThrownBy(() -> parse(bad))
                    .withMessageContaining("FD");
        }
    }

    @Test
    void aBarrierStandsAlone() throws MalformedException {
        assertThat(parse("BARRIER=1").barrier()).isTrue();
        assertThatExceptionOfType(MalformedException.class)
                .isThrownBy(() -> parse("BARRIER=1\nREADY=1"))
                .withMessageContaining("BARRIER");
    }

    @Test
    void aWatchdogCanBeTriggered() throws MalformedException {
        assertThat(parse("WATCHDOG=trigger").watchdog()).contains(Watchdog.TRIGGER);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "\0",
                "REA\0DY=1",
                "READY=0",
                "READY=",
                "MAINPID=0",
                "MAINPID=-1",
                "MAINPID=+1",
                "MAINPID=2147483648",
                "MAINPID=99999999999999999999",
                "MAINPIDFDID=7",
                "MAINPID=1\nMAINPIDFDID=18446744073709551616",
                "MAINPIDFD=2",
                "ERRNO=-2",
                "WATCHDOG=2",
                "WATCHDOG_USEC=infinity",
                "EXTEND_TIMEOUT_USEC= 1",
                "BARRIER=yes",
            })
    void malformedMessagesAreRefused(String text) {
        assertThatExceptionOfType(MalformedException.class).isThrownBy(() -> parse(text));
    }

    @Test
    void bytesThatAreNoTextAreRefused() {
        assertThatExceptionOfType(MalformedException.class)
                .isThrownBy(() -> NotifyMessage.parse(new byte[] {'S', '=', (byte) 0xC3}))
                .withMessage("not UTF-8");
    }

    @Test
    void theLargestMessageIsReadAndOneByteMoreIsRefused() throws MalformedException {
        String largest = "STATUS=" + "x".repeat(NotifyMessage.MAX_SIZE - 7);
        assertThat(parse(largest).status().orElseThrow()).hasSize(NotifyMessage.MAX_SIZE - 7);
        assertThatExceptionOfType(MalformedException.class)
                .isThrownBy(() -> parse(largest + "x"))
                .withMessageContaining("longer than 4096");
    }

    static Stream<Gen> seeds() {
        return Gen.cases(300);
    }

    @ParameterizedTest
    @MethodSource("seeds")
    void orderAndStrangeKeysDoNotMatter(Gen gen) throws MalformedException {
        List<String> lines = new ArrayList<>();
        boolean ready = gen.chance(0.5);
        if (ready) {
            lines.add("READY=1");
        }
        String status = gen.string("abc =é%", 30);
        lines.add("STATUS=" + status);
        int pid = gen.between(1, Integer.MAX_VALUE - 1);
        lines.add("MAINPID=" + pid);
        lines.addAll(gen.list(5, () -> "X_" + gen.string("ABC", 4) + "=" + gen.string("ab=", 4)));
        Collections.shuffle(lines, new Random(gen.anyLong()));
        NotifyMessage message = parse(String.join("\n", lines));
        assertThat(message.ready()).isEqualTo(ready);
        assertThat(message.status()).contains(status);
        assertThat(message.mainPid()).hasValue(pid);
    }
}
