package io.holdfast.authority.agent;

import java.util.List;

/**
 * How an agent is set up.
 *
 * @param fallback only asked where no other agent is there
 * @param locale in which texts are to come, as {@code de_AT.UTF-8}
 * @param helpers where to look for one, in turn
 * @param attempts with a wrong password in one dialog
 * @param dialogs that may wait for the one that is shown; further ones are refused
 */
public record AgentOptions(
        boolean fallback, String locale, List<HelperAddress> helpers, int attempts, int dialogs) {
    /** No fallback, locale C, the known helpers, three attempts, 16 dialogs. */
    public static final AgentOptions DEFAULT =
            new AgentOptions(false, "C", HelperAddress.KNOWN, 3, 16);

    /**
     * @throws IllegalArgumentException if {@code attempts} or {@code dialogs} is not positive
     */
    public AgentOptions {
        helpers = List.copyOf(helpers);
        if (attempts < 1 || dialogs < 1) {
            throw new IllegalArgumentException(attempts + " attempts, " + dialogs + " dialogs");
        }
    }

    /**
     * @param last whether it is only asked where no other agent is there; false by default
     */
    public AgentOptions withFallback(boolean last) {
        return new AgentOptions(last, locale, helpers, attempts, dialogs);
    }

    /**
     * @param name as in {@code LANG}: {@code de_AT.UTF-8}; {@code C} by default
     */
    public AgentOptions withLocale(String name) {
        return new AgentOptions(fallback, name, helpers, attempts, dialogs);
    }

    /**
     * @param addresses to try in turn; {@link HelperAddress#KNOWN} by default
     */
    public AgentOptions withHelpers(List<HelperAddress> addresses) {
        return new AgentOptions(fallback, locale, addresses, attempts, dialogs);
    }

    /**
     * @param number of wrong passwords in one dialog, at least 1; 3 by default
     * @throws IllegalArgumentException if it is not positive
     */
    public AgentOptions withAttempts(int number) {
        return new AgentOptions(fallback, locale, helpers, number, dialogs);
    }

    /**
     * @param number that may wait for the one that is shown, at least 1; 16 by default
     * @throws IllegalArgumentException if it is not positive
     */
    public AgentOptions withDialogs(int number) {
        return new AgentOptions(fallback, locale, helpers, attempts, number);
    }
}
