package io.holdfast.authority.agent;

import io.holdfast.authority.pam.Conversation;
import io.holdfast.core.machine.Accounts;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** One dialog with the user. Used by the thread that runs it. */
final class AgentDialog {
    private final AuthenticationRequest request;
    private final AgentOptions options;
    private final AgentUserInterface face;
    private boolean prompted;

    AgentDialog(AuthenticationRequest request, AgentOptions options, AgentUserInterface face) {
        this.request = request;
        this.options = options;
        this.face = face;
    }

    /**
     * Runs the dialog.
     *
     * @return whether a helper reports that the user has authenticated
     * @throws DismissedException if the user dismisses the dialog
     * @throws InterruptedException if another thread has dismissed or cancelled it
     */
    boolean run() throws DismissedException, IOException, InterruptedException {
        List<String> users = new ArrayList<>();
        for (long uid : request.uids()) {
            users.add(name(uid));
        }
        int chosen = face.choose(request, List.copyOf(users));
        for (int attempt = 1; attempt <= options.attempts(); attempt++) {
            prompted = false;
            boolean authenticated = attempt(users.get(chosen));
            // if PAM did not prompt, another attempt would end in the same way
            boolean again = !authenticated && prompted && attempt < options.attempts();
            face.ended(authenticated, again);
            if (!again) {
                return authenticated;
            }
        }
        return false;
    }

    private static String name(long uid) throws InterruptedException {
        try {
            return Accounts.SYSTEM.user(Long.toString(uid)).name();
        } catch (Accounts.UnknownAccountException e) {
            return Long.toString(uid); // PAM does not know the user either, and reports that
        }
    }

    private boolean attempt(String user)
            throws DismissedException, IOException, InterruptedException {
        try (HelperSession session =
                HelperSession.open(options.helpers(), user, request.cookie())) {
            for (; ; ) {
                switch (session.dialog().next()) {
                    case HelperLine.Prompt prompt -> answer(session.dialog(), prompt);
                    case HelperLine.Message(String text, boolean isError) ->
                            face.showMessage(text, isError);
                    case HelperLine.End(boolean authenticated) -> {
                        return authenticated;
                    }
                }
            }
        }
    }

    private void answer(HelperDialog helper, HelperLine.Prompt prompt)
            throws DismissedException, IOException, InterruptedException {
        ByteBuffer answer = ByteBuffer.allocateDirect(Conversation.MAX_ANSWER);
        try {
            prompted = true;
            face.prompt(prompt.text(), prompt.echo(), answer);
            helper.answer(answer.flip());
        } finally {
            answer.clear();
            for (int i = 0; i < answer.capacity(); i++) {
                answer.put(i, (byte) 0);
            }
        }
    }
}
