package io.holdfast.dbus.wire.sasl;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.marshal.WireLimits;
import io.holdfast.dbus.wire.sasl.SaslClient.Mechanism;
import io.holdfast.dbus.wire.sasl.SaslClient.State;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SameOnEveryKernel
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class SaslClientTest {
    private static final String GUID = "0123456789abcdef0123456789abcdef";
    private static final String GOOD = "DATA\r\nOK " + GUID + "\r\nAGREE_UNIX_FD\r\n";

    private static SaslClient client(Optional<String> guid) {
        return new SaslClient(Mechanism.EXTERNAL, true, guid);
    }

    private static int feed(SaslClient client, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        return client.read(MemorySegment.ofArray(bytes), 0, bytes.length);
    }

    @Test
    void everythingIsSaidAtOnce() {
        assertThat(new String(client(Optional.empty()).opening(), StandardCharsets.US_ASCII))
                .isEqualTo("\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n");
    }

    @Test
    void agreementIsRecognizedAndBytesBehindItAreKept() {
        SaslClient client = client(Optional.of(GUID));
        assertThat(feed(client, GOOD + "l\2\1\1")).isEqualTo(GOOD.length());
        assertThat(client.state()).isEqualTo(State.DONE);
        assertThat(client.guid()).isEqualTo(GUID);
        assertThat(client.descriptorsAgreed()).isTrue();
        assertThat(feed(client, "l\2\1\1")).isZero();
    }

    @Test
    void aServerMayPassNoDescriptors() {
        SaslClient client = client(Optional.empty());
        assertThat(feed(client, "DATA\r\nOK " + GUID + "\r\nERROR no\r\n")).isPositive();
        assertThat(client.state()).isEqualTo(State.DONE);
        assertThat(client.descriptorsAgreed()).isFalse();
    }

    @Test
    void whoAsksForNoDescriptorsWaitsForNoAnswerAboutThem() {
        SaslClient client = new SaslClient(Mechanism.EXTERNAL, false, Optional.empty());
        assertThat(feed(client, "DATA\r\nOK " + GUID + "\r\nl")).isEqualTo(43);
        assertThat(client.state()).isEqualTo(State.DONE);
        assertThat(client.descriptorsAgreed()).isFalse();
    }

    @Test
    void theIdOfTheAddressIsCheckedWithoutRegardToCase() {
        SaslClient client = client(Optional.of(GUID.toUpperCase(java.util.Locale.ROOT)));
        assertThat(feed(client, GOOD)).isPositive();
        assertThat(client.state()).isEqualTo(State.DONE);
        SaslClient other = client(Optional.of("f".repeat(32)));
        assertThat(feed(other, GOOD)).isPositive();
        assertThat(other.state()).isEqualTo(State.REFUSED);
        assertThat(other.refusal()).contains(GUID).contains("ffff");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "REJECTED EXTERNAL\r\n",
                "DATA\r\nREJECTED DBUS_COOKIE_SHA1\r\n",
                "DATA 00\r\n",
                "DATA\r\nOK\r\n",
                "DATA\r\nOK 12\r\n",
                "DATA\r\nDATA\r\n",
                "OK 0123456789abcdef0123456789abcdef\r\n",
                "\r\n",
                "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nOK\r\n",
                "DATA\r\nOK 0123456789abcdef0123456789abcdef\r\nREJECTED\r\n",
                "\u00ff\r\n"
            })
    void whatIsNotTheAnswerIsRefusedWithAReason(String text) {
        SaslClient client = client(Optional.empty());
        assertThat(feed(client, text)).isEqualTo(text.length());
        assertThat(client.state()).isEqualTo(State.REFUSED);
        assertThat(client.refusal()).contains("server");
        assertThat(client.descriptorsAgreed()).isFalse();
    }

    @Test
    void aLineWithoutEndIsRefused() {
        SaslClient client = client(Optional.empty());
        assertThat(feed(client, "D".repeat(WireLimits.MAX_LINE - 1))).isPositive();
        assertThat(client.state()).isEqualTo(State.WAITING);
        assertThat(feed(client, "DD")).isEqualTo(2);
        assertThat(client.state()).isEqualTo(State.REFUSED);
        assertThat(client.refusal()).contains("16384");
    }

    @Test
    void bothSidesOfOursUnderstandEachOtherByteByByte() {
        for (Mechanism mechanism : Mechanism.values()) {
            SaslServer server =
                    new SaslServer(
                            new SaslServer.Config(
                                    GUID, true, true, OptionalLong.of(0), true, 6, 256));
            SaslClient client = new SaslClient(mechanism, true, Optional.of(GUID));
            ByteArrayOutputStream answers = new ByteArrayOutputStream();
            for (byte b : client.opening()) {
                assertThat(server.read(MemorySegment.ofArray(new byte[] {b}), 0, 1)).isEqualTo(1);
                answers.writeBytes(server.takeAnswers());
            }
            for (byte b : answers.toByteArray()) {
                assertThat(client.read(MemorySegment.ofArray(new byte[] {b}), 0, 1)).isEqualTo(1);
            }
            assertThat(server.state()).isEqualTo(SaslServer.State.BEGUN);
            assertThat(server.isAnonymous()).isEqualTo(mechanism == Mechanism.ANONYMOUS);
            assertThat(client.state()).isEqualTo(State.DONE);
        }
    }
}
