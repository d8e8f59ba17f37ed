package io.holdfast.varlink.wire;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.core.limit.Charge;
import io.holdfast.core.testkit.Gen;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@SameOnEveryKernel
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class FrameDecoderTest {
    static Stream<Gen> cases() {
        return Gen.cases(300);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void anyStreamCutAnywhereYieldsTheSameFrames(Gen gen) throws Exception {
        List<String> sent = gen.list(20, () -> gen.string("ab", gen.oneOf(3, 50, 40_000)));
        byte[] stream =
                (String.join("\0", sent) + (sent.isEmpty() ? "" : "\0")).getBytes(ISO_8859_1);
        FrameDecoder decoder = new FrameDecoder(40_000, Charge.unlimited());
        List<String> frames = new ArrayList<>();
        for (int at = 0; at < stream.length; ) {
            ByteBuffer space = decoder.space();
            int piece = Math.min(space.remaining(), gen.between(1, gen.oneOf(1, 100, 20_000)));
            piece = Math.min(piece, stream.length - at);
            space.put(stream, at, piece);
            assertThat(decoder.received(piece)).isEqualTo(nuls(stream, at, piece - 1));
            at += piece;
            drain(decoder, frames);
        }
        assertThat(frames).isEqualTo(sent);
        assertThat(decoder.isBetweenFrames()).isTrue();
    }

    private static int nuls(byte[] stream, int from, int count) {
        int nuls = 0;
        for (int i = from; i < from + count; i++) {
            nuls += stream[i] == 0 ? 1 : 0;
        }
        return nuls;
    }

    private static void drain(FrameDecoder decoder, List<String> frames) throws Exception {
        @Nullable ByteBuffer frame;
        while ((frame = decoder.next()) != null) {
            frames.add(ISO_8859_1.decode(frame).toString());
        }
    }

    private static void feed(FrameDecoder decoder, byte[] bytes) throws Exception {
        for (int at = 0; at < bytes.length; ) {
            ByteBuffer space = decoder.space();
            int piece = Math.min(space.remaining(), bytes.length - at);
            space.put(bytes, at, piece);
            assertThat(decoder.received(piece)).isNotNegative();
            at += piece;
            if (at < bytes.length) {
                assertThat(decoder.next()).isNull();
            }
        }
    }

    @Test
    void aFrameOfTheLimitPassesAndOneByteMoreIsRefusedBeforeItsEnd() throws Exception {
        for (int limit : new int[] {1, 10, FrameDecoder.CHUNK, 100_000}) {
            FrameDecoder decoder = new FrameDecoder(limit, Charge.unlimited());
            byte[] atLimit = new byte[limit + 1];
            Arrays.fill(atLimit, 0, limit, (byte) 'x');
            for (int round = 0; round < 3; round++) {
                feed(decoder, atLimit);
                List<String> frames = new ArrayList<>();
                drain(decoder, frames);
                assertThat(frames).containsExactly("x".repeat(limit));
            }
            byte[] beyond = "x".repeat(limit + 1).getBytes(ISO_8859_1);
            feed(decoder, beyond);
            assertThatThrownBy(decoder::next)
                    .isInstanceOf(MalformedMessageException.class)
                    .hasMessageContaining("limit of " + limit + " bytes");
        }
    }

    @Test
    void anUnfinishedFrameIsKnownAsSuch() throws Exception {
        FrameDecoder decoder = new FrameDecoder(10, Charge.unlimited());
        assertThat(decoder.isBetweenFrames()).isTrue();
        feed(decoder, new byte[] {'a', 0, 'b'});
        assertThat(decoder.next()).isNotNull();
        assertThat(decoder.next()).isNull();
        assertThat(decoder.isBetweenFrames()).isFalse();
    }
}
