package io.holdfast.dbus.wire.sasl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.dbus.marshal.WireLimits;
import io.holdfast.dbus.wire.sasl.SaslServer.State;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@SameOnEveryKernel
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class SaslServerTest {
    private static final String GUID = "0123456789abcdef0123456789abcdef";
    private static final String OK = "OK " + GUID + "\r\n";
    private static final String REJECTED = "REJECTED EXTERNAL\r\n";
    private static final String HEX_1000 = "31303030";

    private static SaslServer.Config config(boolean anonymous, boolean descriptors) {
        return new SaslServer.Config(
                GUID, true, anonymous, OptionalLong.of(1000), descriptors, 6, 256);
    }

    private final SaslServer server = new SaslServer(config(false, true));

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** Feeds text and returns the answers to it. */
    private static String exchange(SaslServer server, String text) {
        byte[] bytes = ascii(text);
        int used = server.read(MemorySegment.ofArray(bytes), 0, bytes.length);
        assertThat(used).isLessThanOrEqualTo(bytes.length);
        return new String(server.takeAnswers(), StandardCharsets.US_ASCII);
    }

    private String exchange(String text) {
        return exchange(server, text);
    }

    private void started() {
        assertThat(exchange("\0")).isEmpty();
    }

    private void inData() {
        assertThat(exchange("\0AUTH EXTERNAL\r\n")).isEqualTo("DATA\r\n");
    }

    private void accepted() {
        assertThat(exchange("\0AUTH EXTERNAL " + HEX_1000 + "\r\n")).isEqualTo(OK);
    }

    @Test
    void aWholePipelinedHandshakeIsAnsweredAndTheBytesBehindItAreKept() {
        byte[] all =
                ascii("\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\nl\1\0\1message");
        int used = server.read(MemorySegment.ofArray(all), 0, all.length);
        assertThat(used).isEqualTo(all.length - "l\1\0\1message".length());
        assertThat(server.takeAnswers()).isEqualTo(ascii("DATA\r\n" + OK + "AGREE_UNIX_FD\r\n"));
        assertThat(server.state()).isEqualTo(State.BEGUN);
        assertThat(server.descriptorsAgreed()).isTrue();
        assertThat(server.identity()).hasValue(1000);
        assertThat(server.isAnonymous()).isFalse();
        assertThat(server.read(MemorySegment.ofArray(all), used, all.length - used)).isZero();
    }

    @Test
    void aHandshakeStepByStepAsLibdbusHasItIsAnswered() {
        accepted();
        assertThat(exchange("NEGOTIATE_UNIX_FD\r\n")).isEqualTo("AGREE_UNIX_FD\r\n");
        assertThat(exchange("BEGIN\r\n")).isEmpty();
        assertThat(server.state()).isEqualTo(State.BEGUN);
    }

    @Test
    void aHandshakeThatAsksForTheMechanismsFirstAsGDBusIsAnswered() {
        started();
        assertThat(exchange("AUTH\r\n")).isEqualTo(REJECTED);
        assertThat(exchange("AUTH EXTERNAL " + HEX_1000 + "\r\n")).isEqualTo(OK);
        assertThat(exchange("BEGIN\r\n")).isEmpty();
        assertThat(server.state()).isEqualTo(State.BEGUN);
        assertThat(server.descriptorsAgreed()).isFalse();
        assertThat(server.refusal()).isEmpty();
    }

    @Test
    void aFirstByteOtherThanNulIsRefused() {
        assertThat(exchange("GET / HTTP/1.1\r\n\r\n")).isEmpty();
        assertThat(server.state()).isEqualTo(State.REFUSED);
        assertThat(server.refusal()).contains("0x47");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "AUTH",
                "AUTH ",
                "AUTH DBUS_COOKIE_SHA1 31303030",
                "AUTH ANONYMOUS",
                "AUTH ANONYMOUS 7465",
                "AUTH external 31303030",
                "AUTH EXTERNAL 30",
                "AUTH EXTERNAL 3031303030",
                "AUTH EXTERNAL 313030300a",
                "AUTH EXTERNAL 726f6f74",
                "AUTH EXTERNAL 3130303",
                "AUTH EXTERNAL 1000x",
                "ERROR",
                "ERROR I am lost"
            })
    void inAuthTheseAreRejectedAndMayBeFollowedByAGoodTry(String line) {
        started();
        assertThat(exchange(line + "\r\n")).isEqualTo(REJECTED);
        assertThat(server.lastRejection()).isPresent();
        assertThat(exchange("AUTH EXTERNAL " + HEX_1000 + "\r\n")).isEqualTo(OK);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "auth EXTERNAL",
                "AUTHEXTERNAL",
                "DATA",
                "CANCEL",
                "NEGOTIATE_UNIX_FD",
                "BEGIN now",
                "OK 0123",
                "REJECTED",
                "AGREE_UNIX_FD",
                "HELP",
                "AUTH\tEXTERNAL",
                "\u00e9",
                "a\nb",
                "a\rb"
            })
    void inAuthTheseAreErrorsAndChangeNothing(String line) {
        started();
        assertThat(exchange(line + "\r\n"))
                .startsWith("ERROR")
                .endsWith("\r\n")
                .hasSizeLessThan(64);
        assertThat(exchange("AUTH EXTERNAL " + HEX_1000 + "\r\n")).isEqualTo(OK);
    }

    @Test
    void anUnknownCommandAsTheVeryFirstLineIsAnErrorAndNotTheEnd() {
        assertThat(exchange("\0HELLO\r\nAUTH EXTERNAL\r\n"))
                .startsWith("ERROR")
                .endsWith("DATA\r\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"DATA", "DATA ", "DATA 31303030", "DATA  31303030"})
    void inDataTheKernelsUserOrItsNumberIsAccepted(String line) {
        inData();
        assertThat(exchange(line + "\r\n")).isEqualTo(OK);
    }

    @ParameterizedTest
    @ValueSource(strings = {"DATA 30", "DATA zz", "DATA 3", "CANCEL", "ERROR", "ERROR x"})
    void inDataTheseAreRejectedAndLeadBackToAuth(String line) {
        inData();
        assertThat(exchange(line + "\r\n")).isEqualTo(REJECTED);
        assertThat(exchange("DATA\r\n")).startsWith("ERROR");
        assertThat(exchange("AUTH EXTERNAL " + HEX_1000 + "\r\n")).isEqualTo(OK);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"AUTH EXTERNAL", "NEGOTIATE_UNIX_FD", "", "BEGIN x", "data", "CANCEL x"})
    void inDataTheseAreErrorsAndChangeNothing(String line) {
        inData();
        assertThat(exchange(line + "\r\n")).startsWith("ERROR");
        assertThat(exchange("DATA\r\n")).isEqualTo(OK);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"\0BEGIN\r\n", "\0AUTH EXTERNAL\r\nBEGIN\r\n", "\0AUTH\r\nBEGIN\r\nrest"})
    void beginBeforeAuthenticationIsRefused(String text) {
        String ignored = exchange(text);
        assertThat(server.state()).isEqualTo(State.REFUSED);
        assertThat(server.refusal()).startsWith("BEGIN without authentication");
        assertThat(server.identity()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"CANCEL", "ERROR", "ERROR no"})
    void afterOkTheClientCanStillGiveUpAndLosesItsDescriptors(String line) {
        accepted();
        assertThat(exchange("NEGOTIATE_UNIX_FD\r\n")).isEqualTo("AGREE_UNIX_FD\r\n");
        assertThat(exchange(line + "\r\n")).isEqualTo(REJECTED);
        assertThat(server.descriptorsAgreed()).isFalse();
        assertThat(exchange("AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n")).isEqualTo("DATA\r\n" + OK);
        assertThat(server.state()).isEqualTo(State.BEGUN);
        assertThat(server.descriptorsAgreed()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(strings = {"AUTH EXTERNAL", "DATA", "", "begin", "NEGOTIATE_UNIX_FD x", "OK"})
    void afterOkTheseAreErrorsAndChangeNothing(String line) {
        accepted();
        assertThat(exchange(line + "\r\n")).startsWith("ERROR");
        assertThat(exchange("BEGIN\r\n")).isEmpty();
        assertThat(server.state()).isEqualTo(State.BEGUN);
    }

    @Test
    void negotiatingTwiceIsFine() {
        accepted();
        assertThat(exchange("NEGOTIATE_UNIX_FD\r\nNEGOTIATE_UNIX_FD\r\n"))
                .isEqualTo("AGREE_UNIX_FD\r\nAGREE_UNIX_FD\r\n");
    }

    @Test
    void whereDescriptorsCannotPassTheyAreNotAgreedAndTheClientMayGoOn() {
        SaslServer without = new SaslServer(config(false, false));
        assertThat(exchange(without, "\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"))
                .startsWith("DATA\r\n" + OK + "ERROR");
        assertThat(without.state()).isEqualTo(State.BEGUN);
        assertThat(without.descriptorsAgreed()).isFalse();
    }

    @Test
    void severalSpacesAreTolerated() {
        assertThat(exchange("\0AUTH   EXTERNAL   " + HEX_1000 + "  \r\n")).isEqualTo(OK);
    }

    @Test
    void aLineFeedAloneEndsNoLine() {
        assertThat(exchange("\0AUTH EXTERNAL\n")).isEmpty();
        assertThat(exchange("\r\n"))
                .isEqualTo(REJECTED); // the mechanism has a line feed in its name
    }

    @Test
    void anonymousIsAcceptedOnlyWhereAllowedAndIsNobody() {
        SaslServer open = new SaslServer(config(true, true));
        assertThat(exchange(open, "\0AUTH\r\n")).isEqualTo("REJECTED EXTERNAL ANONYMOUS\r\n");
        assertThat(exchange(open, "AUTH ANONYMOUS 7g\r\n")).startsWith("REJECTED");
        assertThat(exchange(open, "AUTH ANONYMOUS 7465\r\nBEGIN\r\n")).isEqualTo(OK);
        assertThat(open.state()).isEqualTo(State.BEGUN);
        assertThat(open.isAnonymous()).isTrue();
        assertThat(open.identity()).isEmpty();
    }

    @Test
    void whoGaveAnonymousUpIsNotNobody() {
        SaslServer open = new SaslServer(config(true, true));
        String ignored =
                exchange(open, "\0AUTH ANONYMOUS\r\nCANCEL\r\nAUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n");
        assertThat(open.isAnonymous()).isFalse();
        assertThat(open.identity()).hasValue(1000);
    }

    @Test
    void aClientWhoseUserIsNotKnownCannotBeExternal() {
        SaslServer unknown = new SaslServer(SaslServer.Config.of(GUID, OptionalLong.empty()));
        assertThat(exchange(unknown, "\0AUTH EXTERNAL\r\nDATA\r\n"))
                .isEqualTo("DATA\r\n" + REJECTED);
    }

    @Test
    void afterTheSixthRejectionTheClientIsRefusedAndToldSo() {
        started();
        for (int i = 1; i < 6; i++) {
            assertThat(exchange("AUTH EXTERNAL 30\r\n")).isEqualTo(REJECTED);
            assertThat(server.state()).isEqualTo(State.AUTHENTICATING);
        }
        assertThat(exchange("AUTH EXTERNAL 30\r\nAUTH EXTERNAL\r\n")).isEqualTo(REJECTED);
        assertThat(server.state()).isEqualTo(State.REFUSED);
        assertThat(server.refusal())
                .isEqualTo("6 rejected attempts, the last: EXTERNAL as \"0\" by user 1000");
    }

    @Test
    void tooManyLinesAreRefusedSoThatAnswersStaySmall() {
        byte[] flood = ascii("\0" + "\r\n".repeat(100_000));
        assertThat(server.read(MemorySegment.ofArray(flood), 0, flood.length))
                .isEqualTo(flood.length);
        assertThat(server.state()).isEqualTo(State.REFUSED);
        assertThat(server.refusal()).contains("256 lines");
        assertThat(server.takeAnswers().length).isLessThan(256 * 64);
    }

    @Test
    void aLineOfTheGreatestLengthIsReadAndOneMoreIsRefused() {
        started();
        String most = "x".repeat(WireLimits.MAX_LINE - 2);
        assertThat(exchange(most + "\r\n")).startsWith("ERROR").hasSizeLessThan(64);
        assertThat(server.state()).isEqualTo(State.AUTHENTICATING);
        assertThat(exchange(most + "x\r\n")).isEmpty();
        assertThat(server.state()).isEqualTo(State.REFUSED);
        assertThat(server.refusal()).contains("16384");
    }

    @Test
    void aRefusedClientsFurtherBytesAreSwallowed() {
        assertThat(exchange("x")).isEmpty();
        byte[] more = ascii("\0AUTH EXTERNAL\r\n");
        assertThat(server.read(MemorySegment.ofArray(more), 0, more.length)).isEqualTo(more.length);
        assertThat(server.hasAnswers()).isFalse();
    }

    @Test
    void whatIsLoggedOfAStrangersWordsIsShortAndHarmless() {
        started();
        String ignored = exchange("AUTH " + "\u001b[31m".repeat(1000) + "\r\n");
        assertThat(server.lastRejection().orElseThrow())
                .hasSizeLessThan(120)
                .doesNotContain("\u001b");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0123",
                "0123456789ABCDEF0123456789ABCDEF",
                "x123456789abcdef0123456789abcdef"
            })
    void anIdThatIsNoneIsRefused(String guid) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SaslServer.Config.of(guid, OptionalLong.of(0)));
    }

    @Test
    void limitsBelowOneAreRefused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        new SaslServer.Config(GUID, true, false, OptionalLong.of(0), true, 0, 1));
    }
}
