package io.holdfast.authority.pam;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * The conversation with PAM modules (pam_conv(3)). Its methods run on the thread that called PAM,
 * while that call waits. An exception ends the conversation: the module gets PAM_CONV_ERR, and
 * {@link PamTransaction} throws the exception.
 *
 * <p>Texts are the bytes that the module passed, without NUL: never a format, and not trusted.
 */
public interface Conversation {
    /**
     * The maximum number of bytes of an answer: PAM_MAX_RESP_SIZE of security/_pam_types.h without
     * the NUL.
     */
    int MAX_ANSWER = 511;

    /**
     * Shows a prompt, and reads the answer.
     *
     * @param echo whether the answer may be visible
     * @param answer receives the answer, up to its limit. It is PAM's memory, which is wiped: do
     *     not keep it
     */
    void prompt(byte[] text, boolean echo, ByteBuffer answer)
            throws IOException, InterruptedException;

    void showMessage(byte[] text, boolean isError) throws IOException, InterruptedException;
}
