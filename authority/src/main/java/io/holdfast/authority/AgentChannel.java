package io.holdfast.authority;

import io.holdfast.authority.subject.Identity;
import io.holdfast.authority.survival.AgentAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** The authority's connection to an agent. Thread-safe; no method blocks. */
public interface AgentChannel {
    /**
     * A request to an agent to authenticate a user.
     *
     * @param message for the user, in the agent's locale
     * @param cookie identifies the dialog; cannot be guessed
     * @param identities the users who may authenticate, by uid
     */
    record Request(
            String action,
            String message,
            String iconName,
            Map<String, String> details,
            String cookie,
            List<Identity.User> identities) {}

    /** How an agent ended a dialog. Only the helper's report authorizes anything. */
    enum End {
        /** The agent is done, whether or not a user has authenticated. */
        COMPLETED,
        /** The user has dismissed the dialog. */
        DISMISSED,
        /** The agent failed, or has gone. */
        FAILED
    }

    /**
     * Sends a request to the agent. It has no time limit.
     *
     * @return completes when the agent ends the dialog; never fails
     */
    CompletableFuture<End> begin(Request request);

    /** Cancels a dialog; the authority needs no answer any more. */
    void cancel(String cookie);

    /**
     * Returns the address at which a restarted authority finds the agent; empty if the agent does
     * not outlive the authority's connection to it.
     */
    default Optional<AgentAddress> address() {
        return Optional.empty();
    }
}
