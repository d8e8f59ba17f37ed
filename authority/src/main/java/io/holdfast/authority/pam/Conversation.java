package io.holdfast.authority.pam;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Who answers what PAM modules ask (pam_conv(3)). Called by the thread that called PAM, while that
 * waits. Whatever is thrown ends the conversation: the module gets PAM_CONV_ERR, and {@link
 * PamTransaction} throws it.
 *
 * <p>Texts are bytes as the module gave them, without NUL: data, never a format and not to be
 * trusted.
 */
public interface Conversation {
    /** Bytes of an answer: PAM_MAX_RESP_SIZE of security/_pam_types.h, without the NUL. */
    int MAX_ANSWER = 511;

    /**
     * Asks.
     *
     * @param echo whether the answer may be seen
     * @param answer where it goes, up to its limit: memory of PAM's, which is wiped. It must not be
     *     kept
     */
    void ask(byte[] prompt, boolean echo, ByteBuffer answer)
            throws IOException, InterruptedException;

    /** Tells. */
    void tell(byte[] text, boolean isError) throws IOException, InterruptedException;
}
