package io.holdfast.varlink.wire;

import static io.holdfast.fuzz.Inputs.require;
import static io.holdfast.fuzz.Inputs.same;
import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.holdfast.core.limit.Charge;
import io.holdfast.fuzz.Bounds;
import io.holdfast.fuzz.Inputs;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Streams of frames: the same frames however the stream is split, and none beyond the limit. */
public final class FrameTarget {
    private static final int MAX_FRAME = 100;

    private FrameTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, FrameTarget::check);
    }

    private static void check(byte[] input) {
        byte[] stream = Inputs.rest(input);
        List<String> frames = frames(stream, 1 + Inputs.selector(input));
        List<String> expected = new ArrayList<>();
        int start = 0;
        for (int at = 0; at < stream.length && at - start <= MAX_FRAME; at++) {
            if (stream[at] == 0) {
                expected.add(new String(stream, start, at - start, ISO_8859_1));
                start = at + 1;
            }
        }
        if (stream.length - start > MAX_FRAME) {
            int end = start;
            while (end < stream.length && stream[end] != 0) {
                end++;
            }
            if (end - start > MAX_FRAME) {
                expected.add("too long");
            }
        }
        same(frames, expected);
    }

    private static List<String> frames(byte[] stream, int piece) {
        FrameDecoder decoder = new FrameDecoder(MAX_FRAME, Charge.unlimited());
        List<String> frames = new ArrayList<>();
        try {
            for (int at = 0; at < stream.length; ) {
                ByteBuffer space = decoder.space();
                require(space.hasRemaining(), "room for at least one byte");
                int count = Math.min(Math.min(space.remaining(), piece), stream.length - at);
                space.put(stream, at, count);
                int _ = decoder.received(count);
                at += count;
                for (ByteBuffer frame = decoder.next(); frame != null; frame = decoder.next()) {
                    frames.add(ISO_8859_1.decode(frame).toString());
                }
            }
        } catch (MalformedMessageException e) {
            frames.add("too long");
        }
        return frames;
    }
}
