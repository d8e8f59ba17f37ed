package io.holdfast.core.run;

import java.nio.charset.Charset;

/**
 * What was kept of a stream.
 *
 * @param bytes nobody changes them
 * @param dropped how many were not kept
 */
@SuppressWarnings("ArrayRecordComponent") // not compared
record Captured(byte[] bytes, long dropped) {
    static final Captured NOTHING = new Captured(new byte[0], 0);

    String text(Charset charset) {
        return new String(bytes, charset);
    }
}
