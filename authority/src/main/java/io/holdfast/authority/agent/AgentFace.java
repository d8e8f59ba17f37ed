package io.holdfast.authority.agent;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The face of an agent: what a user sees of dialogs. One dialog at a time, by a virtual thread that
 * is interrupted when the dialog is dismissed or cancelled: methods end with InterruptedException
 * then. All texts are data of others.
 */
public interface AgentFace {
    /**
     * A dialog begins: who will authenticate?
     *
     * @param users by name, or by number where they have none; at least one
     * @return which of them, from 0
     * @throws DismissedException if the user will not
     */
    int choose(AuthenticationRequest request, List<String> users)
            throws DismissedException, IOException, InterruptedException;

    /**
     * Asks.
     *
     * @param echo whether the answer may be seen
     * @param answer where it goes as bytes, without line break: direct memory that is wiped after
     *     it. It must not be kept, nor become a String
     * @throws DismissedException if the user will not
     */
    void ask(String prompt, boolean echo, ByteBuffer answer)
            throws DismissedException, IOException, InterruptedException;

    /** Tells what a PAM module tells. */
    void tell(String text, boolean isError) throws IOException, InterruptedException;

    /**
     * An attempt has ended.
     *
     * @param again whether another one follows
     */
    void ended(boolean authenticated, boolean again) throws IOException, InterruptedException;
}
