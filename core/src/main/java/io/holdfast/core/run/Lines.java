package io.holdfast.core.run;

import io.holdfast.core.limit.CoreLimits;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.util.function.Consumer;

/**
 * A sink that hands a stream over line by line; it keeps only the incomplete last line. A line ends
 * with LF, CR LF, or CR as in the output of a progress bar, as for {@link String#lines}.
 */
final class Lines implements Sink {
    private static final int CHUNK = 8 << 10;

    private final CharsetDecoder decoder;
    private final Consumer<String> action;
    private final CharBuffer chars = CharBuffer.allocate(CHUNK);
    private final StringBuilder line = new StringBuilder();
    private final int longest = (int) Math.min(CoreLimits.RUN_LINE.value(), Integer.MAX_VALUE / 4);
    private boolean returned; // whether the last character was CR, which ended a line
    private ByteBuffer incomplete = ByteBuffer.allocate(0); // bytes of an incomplete character

    Lines(Charset charset, Consumer<String> action) {
        this.decoder =
                charset.newDecoder()
                        .onMalformedInput(CodingErrorAction.REPLACE)
                        .onUnmappableCharacter(CodingErrorAction.REPLACE);
        this.action = action;
    }

    @Override
    public void take(byte[] bytes, int length) {
        ByteBuffer all = ByteBuffer.wrap(bytes, 0, length);
        if (incomplete.hasRemaining()) {
            int size = incomplete.remaining() + length;
            all = ByteBuffer.allocate(size).put(incomplete).put(all).flip();
        }
        decode(all, false);
        incomplete = ByteBuffer.allocate(all.remaining()).put(all).flip();
    }

    private void decode(ByteBuffer bytes, boolean last) {
        while (decoder.decode(bytes, chars, last).isOverflow()) {
            split();
        }
        split();
    }

    private void split() {
        chars.flip();
        while (chars.hasRemaining()) {
            char c = chars.get();
            boolean isOfPair = c == '\n' && returned;
            returned = c == '\r';
            if (c == '\r' || (c == '\n' && !isOfPair)) {
                handOver();
            } else if (!isOfPair) {
                boolean isPair = Character.isLowSurrogate(c);
                if (line.length() >= longest && !isPair) {
                    handOver();
                }
                line.append(c);
            }
        }
        chars.clear();
    }

    private void handOver() {
        String text = line.toString();
        line.setLength(0);
        action.accept(text);
    }

    @Override
    public Captured end() {
        decode(incomplete, true);
        while (decoder.flush(chars).isOverflow()) {
            split();
        }
        split();
        if (!line.isEmpty()) {
            handOver();
        }
        return Captured.NOTHING;
    }
}
