package io.holdfast.authority.agent;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The user interface of an agent. It shows one dialog at a time, called on a virtual thread that is
 * interrupted when the dialog is dismissed or cancelled: methods then have to throw
 * InterruptedException. All texts come from other programs and are not trusted.
 */
public interface AgentUserInterface {
    /**
     * Begins a dialog, and lets the user choose who authenticates.
     *
     * @param users their names, or the number of a user without a name; at least one
     * @return the index of the chosen user
     * @throws DismissedException if the user dismisses the dialog
     */
    int choose(AuthenticationRequest request, List<String> users)
            throws DismissedException, IOException, InterruptedException;

    /**
     * Shows a prompt, and reads the answer.
     *
     * @param echo whether the answer may be visible
     * @param answer receives the answer as bytes, without line break. It is direct memory, which is
     *     wiped afterwards: do not keep it, and do not make a String of it
     * @throws DismissedException if the user dismisses the dialog
     */
    void prompt(String text, boolean echo, ByteBuffer answer)
            throws DismissedException, IOException, InterruptedException;

    /** Shows a message of a PAM module. */
    void showMessage(String text, boolean isError) throws IOException, InterruptedException;

    /**
     * Shows that an attempt has ended.
     *
     * @param again whether another attempt follows
     */
    void ended(boolean authenticated, boolean again) throws IOException, InterruptedException;
}
