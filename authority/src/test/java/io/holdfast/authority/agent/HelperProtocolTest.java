package io.holdfast.authority.agent;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.authority.pam.Conversation;
import io.holdfast.core.socket.SocketType;
import io.holdfast.core.socket.UnixSocket;
import io.holdfast.core.testkit.Gen;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class HelperProtocolTest {
    private static HelperProtocol protocol(ByteLink link) {
        return new HelperProtocol(link, HelperLimits.DEFAULT);
    }

    private static ByteBuffer room() {
        return ByteBuffer.allocateDirect(Conversation.MAX_ANSWER);
    }

    private static String text(ByteBuffer answer) {
        byte[] bytes = new byte[answer.position()];
        answer.get(0, bytes);
        return new String(bytes, ISO_8859_1);
    }

    @Test
    void theRequestIsTwoLines() throws Exception {
        MemoryLink link = new MemoryLink("root\n1-ab-2-cd\nsecret\n");

        assertThat(protocol(link).readRequest()).isEqualTo(new HelperRequest("root", "1-ab-2-cd"));
        assertThat(link.unread()).as("nothing is read ahead").isEqualTo("secret\n");
    }

    @Test
    void theCookieIsNotInTheText() {
        assertThat(new HelperRequest("root", "cookie").toString()).doesNotContain("cookie");
    }

    @Test
    void promptsAndMessagesAreTaggedLines() throws Exception {
        MemoryLink link = new MemoryLink("s e c r e t\nvisible\n");
        HelperProtocol protocol = protocol(link);
        ByteBuffer answer = room();
        ByteBuffer other = room();

        protocol.showMessage("Hello\nyou\n".getBytes(UTF_8), false);
        protocol.showMessage("No!".getBytes(UTF_8), true);
        protocol.prompt("Password: ".getBytes(UTF_8), false, answer);
        protocol.prompt("Login: ".getBytes(UTF_8), true, other);
        protocol.end(true);

        assertThat(link.written())
                .isEqualTo(
                        """
                        PAM_TEXT_INFO Hello\\nyou
                        PAM_ERROR_MSG No!
                        PAM_PROMPT_ECHO_OFF Password:\s
                        PAM_PROMPT_ECHO_ON Login:\s
                        SUCCESS
                        """);
        assertThat(text(answer)).isEqualTo("s e c r e t");
        assertThat(text(other)).isEqualTo("visible");
    }

    @Test
    void linesOf4096BytesAreTakenAndLongerOnesRefused() throws Exception {
        String longest = "x".repeat(4096);

        assertThat(protocol(new MemoryLink(longest + "\nc\n")).readRequest().user())
                .isEqualTo(longest);
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(protocol(new MemoryLink(longest + "x\nc\n"))::readRequest)
                .withMessage("the user's name is longer than 4096 bytes");
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(protocol(new MemoryLink("u\n" + longest + "x\n"))::readRequest)
                .withMessage("the cookie is longer than 4096 bytes");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "root",
                "root\n",
                "root\ncookie",
                "\nc\n",
                "a\u0000b\nc\n",
                "u\n\n",
                "\u00ff\nc\n",
                "a\u001bb\nc\n"
            })
    void whatIsNoRequestIsRefused(String bytes) {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(protocol(new MemoryLink(bytes))::readRequest);
    }

    @Test
    void anAnswerOf511BytesIsTakenAndALongerOneDoesNotSpill() throws Exception {
        String longest = "y".repeat(511);
        ByteBuffer answer = room();
        protocol(new MemoryLink(longest + "\n")).prompt(new byte[0], false, answer);
        assertThat(text(answer)).isEqualTo(longest);

        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() ->
                        protocol(new MemoryLink(longest + "z\n"))
                                .prompt(new byte[0], false, room()))
                .withMessage("an answer is longer than 511 bytes");
    }

    @Test
    void anAnswerWithANulIsRefused() {
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() ->
                        protocol(new MemoryLink("right\u0000wrong\n"))
                                .prompt(new byte[0], false, room()))
                .withMessageContaining("NUL");
    }

    @Test
    void whoDripsAByteAtATimeRunsOutOfTimeAllTheSame() throws Exception {
        HelperLimits limits =
                new HelperLimits(
                        10, Duration.ofSeconds(9), Duration.ofMillis(50), Duration.ofSeconds(9));
        ByteLink dripping =
                new ByteLink() {
                    @Override
                    public int read(ByteBuffer into, Duration limit) throws InterruptedException {
                        Thread.sleep(Duration.ofMillis(5)); // the slowness that is tested
                        into.put((byte) 'a');
                        return 1;
                    }

                    @Override
                    public void write(ByteBuffer from, Duration limit) {}
                };

        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() ->
                        new HelperProtocol(dripping, limits).prompt(new byte[0], false, room()))
                .withMessage("an answer has no end within 50 ms");
    }

    @Test
    void whoSaysNothingRunsOutOfTime() throws Exception {
        HelperLimits limits =
                new HelperLimits(
                        10, Duration.ofMillis(30), Duration.ofSeconds(9), Duration.ofSeconds(9));
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        try (UnixSocket ours = pair[0];
                UnixSocket theirs = pair[1]) {
            assertThatExceptionOfType(IOException.class)
                    .isThrownBy(new HelperProtocol(new SocketLink(ours), limits)::readRequest)
                    .withMessageContaining("within");
            assertThat(theirs.fd().isOpen()).isTrue();
        }
    }

    static Stream<Gen> cases() {
        return Gen.cases(200);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void anyBytesAreARequestOrRefusedWithAReason(Gen gen) throws Exception {
        byte[] bytes =
                gen.chance(0.5)
                        ? gen.bytes(200)
                        : gen.mutate("root\n12-ab-3-cd\n", "\n\0a \u00ff").getBytes(ISO_8859_1);
        MemoryLink link = new MemoryLink(bytes);
        try {
            HelperRequest request = protocol(link).readRequest();
            assertThat(request.user()).isNotEmpty().doesNotContain("\n", "\0");
            assertThat(request.cookie()).isNotEmpty().doesNotContain("\n", "\0");
        } catch (IOException e) {
            assertThat(e).hasMessageMatching("(?s).*(the user's name|the cookie).*");
        }
        assertThat(link.written()).isEmpty();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void bothSidesUnderstandEachOther(Gen gen) throws Exception {
        UnixSocket[] pair = UnixSocket.pair(SocketType.STREAM);
        byte[] prompt = gen.bytes(100);
        byte[] answer = gen.string("abc \\\"\t\u00e4", 511).getBytes(ISO_8859_1);
        boolean echo = gen.chance(0.5);
        try (UnixSocket ours = pair[0];
                UnixSocket theirs = pair[1]) {
            FutureTask<HelperLine> agent =
                    new FutureTask<>(() -> {
                        HelperDialog dialog = new HelperDialog(new SocketLink(theirs));
                        dialog.begin("user", "cookie");
                        HelperLine line = dialog.next();
                        dialog.answer(ByteBuffer.wrap(answer));
                        assertThat(dialog.next()).isEqualTo(new HelperLine.End(false));
                        return line;
                    });
            Thread.startVirtualThread(agent);
            HelperProtocol protocol = protocol(new SocketLink(ours));
            assertThat(protocol.readRequest()).isEqualTo(new HelperRequest("user", "cookie"));
            ByteBuffer given = room();
            protocol.prompt(prompt, echo, given);
            protocol.end(false);

            assertThat(text(given).getBytes(ISO_8859_1)).isEqualTo(answer);
            int length = prompt.length;
            if (length > 0 && prompt[length - 1] == '\n') {
                length--;
            }
            assertThat(agent.get())
                    .isEqualTo(
                            new HelperLine.Prompt(
                                    new String(Arrays.copyOf(prompt, length), UTF_8), echo));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void anyLineOfAHelperIsUnderstoodOrRefused(Gen gen) throws Exception {
        String valid = "PAM_PROMPT_ECHO_OFF Password: \nPAM_TEXT_INFO a\\nb\nSUCCESS\n";
        HelperDialog dialog =
                new HelperDialog(
                        new MemoryLink(
                                gen.chance(0.3)
                                        ? gen.bytes(100)
                                        : gen.mutate(valid, "PAM_ \\n\n\0\u00ff")
                                                .getBytes(ISO_8859_1)));
        try {
            while (!(dialog.next() instanceof HelperLine.End)) {}
        } catch (IOException e) {
            assertThat(e).hasMessageStartingWith("the helper ");
        }
    }

    @Test
    void aLineOfAHelperMayBeSoLongAndNoLonger() throws Exception {
        String longest = "PAM_TEXT_INFO " + "x".repeat(HelperDialog.MAX_LINE - 15);
        assertThat(new HelperDialog(new MemoryLink(longest + "\n")).next())
                .isInstanceOf(HelperLine.Message.class);
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(new HelperDialog(new MemoryLink(longest + "xx\n"))::next)
                .withMessageContaining("longer than 65536 bytes");
    }

    @Test
    void anAgentSendsNoLineThatWouldBeTwo() {
        HelperDialog dialog = new HelperDialog(new MemoryLink(""));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> dialog.begin("root\ncookie", "x"));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> dialog.answer(ByteBuffer.wrap(new byte[] {'a', '\n', 'b'})));
        assertThatExceptionOfType(IOException.class)
                .isThrownBy(() -> dialog.answer(ByteBuffer.wrap(new byte[512])));
    }
}
