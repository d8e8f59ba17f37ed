package io.holdfast.authority.agent;

import java.util.List;

/**
 * The configuration of an agent.
 *
 * @param fallback whether the agent is used only if there is no other
 * @param locale of the texts, such as {@code de_AT.UTF-8}
 * @param helpers where to look for a helper, in turn
 * @param attempts the maximum number of attempts in one dialog
 * @param dialogs the maximum number of dialogs under way, of which one is shown and the others
 *     wait; further ones are refused
 */
public record AgentOptions(
        boolean fallback, String locale, List<HelperAddress> helpers, int attempts, int dialogs) {
    /** No fallback, locale C, the known helpers, three attempts, 16 dialogs. */
    public static final AgentOptions DEFAULT =
            new AgentOptions(false, "C", HelperAddress.KNOWN, 3, 16);

    /**
     * Checks the options.
     *
     * @throws IllegalArgumentException if {@code attempts} or {@code dialogs} is not positive
     */
    public AgentOptions {
        helpers = List.copyOf(helpers);
        if (attempts < 1 || dialogs < 1) {
            throw new IllegalArgumentException(attempts + " attempts, " + dialogs + " dialogs");
        }
    }

    /**
     * Returns a copy that is a fallback or not.
     *
     * @param last whether it is used only if there is no other agent; false by default
     */
    public AgentOptions withFallback(boolean last) {
        return new AgentOptions(last, locale, helpers, attempts, dialogs);
    }

    /**
     * Returns a copy with this locale of the texts.
     *
     * @param name as in {@code LANG}: {@code de_AT.UTF-8}; {@code C} by default
     */
    public AgentOptions withLocale(String name) {
        return new AgentOptions(fallback, name, helpers, attempts, dialogs);
    }

    /**
     * Returns a copy with these addresses of helpers.
     *
     * @param addresses tried in turn; {@link HelperAddress#KNOWN} by default
     */
    public AgentOptions withHelpers(List<HelperAddress> addresses) {
        return new AgentOptions(fallback, locale, addresses, attempts, dialogs);
    }

    /**
     * Returns a copy with this number of attempts.
     *
     * @param number the maximum number of attempts in one dialog, at least 1; 3 by default
     * @throws IllegalArgumentException if it is not positive
     */
    public AgentOptions withAttempts(int number) {
        return new AgentOptions(fallback, locale, helpers, number, dialogs);
    }

    /**
     * Returns a copy with this number of dialogs.
     *
     * @param number the maximum number of dialogs that are shown or wait, at least 1; 16 by default
     * @throws IllegalArgumentException if it is not positive
     */
    public AgentOptions withDialogs(int number) {
        return new AgentOptions(fallback, locale, helpers, attempts, number);
    }
}
