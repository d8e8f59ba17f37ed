package io.holdfast.core.run;

import java.nio.charset.Charset;

/**
 * The bytes that were kept of a stream.
 *
 * @param bytes the bytes, never changed
 * @param dropped the number of bytes that were not kept
 */
@SuppressWarnings("ArrayRecordComponent") // not compared
record Captured(byte[] bytes, long dropped) {
    static final Captured NOTHING = new Captured(new byte[0], 0);

    String text(Charset charset) {
        return new String(bytes, charset);
    }
}
