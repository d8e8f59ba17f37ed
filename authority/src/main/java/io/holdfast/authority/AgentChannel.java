package io.holdfast.authority;

import io.holdfast.authority.subject.Identity;
import io.holdfast.authority.survival.AgentAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** How the authority speaks with an agent. Safe for use by any thread; nothing here blocks. */
public interface AgentChannel {
    /**
     * What an agent is asked to do.
     *
     * @param message for the user, in the agent's locale
     * @param cookie names the dialog; unguessable
     * @param identities who may authenticate: users by number
     */
    record Request(
            String action,
            String message,
            String iconName,
            Map<String, String> details,
            String cookie,
            List<Identity.User> identities) {}

    /** How a dialog has ended for the agent. Only an answer of the helper authorizes anything. */
    enum End {
        /** The agent is done, whether or not somebody has authenticated. */
        COMPLETED,
        /** The user did not want to. */
        DISMISSED,
        /** The agent could not, or has gone. */
        FAILED
    }

    /**
     * Asks for an authentication. There is no time limit.
     *
     * @return never fails
     */
    CompletableFuture<End> begin(Request request);

    /** Cancels a dialog: the authority needs no answer any more. */
    void cancel(String cookie);

    /**
     * Returns the address at which a restarted authority finds the agent; empty if the agent does
     * not outlive the authority's connection to it.
     */
    default Optional<AgentAddress> address() {
        return Optional.empty();
    }
}
