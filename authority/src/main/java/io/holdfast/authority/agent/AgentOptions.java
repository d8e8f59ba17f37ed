package io.holdfast.authority.agent;

import java.util.List;

/**
 * The options of an agent.
 *
 * @param fallback whether the agent is used only if there is no other
 * @param locale the locale of the texts, as in {@code LANG}: {@code de_AT.UTF-8}
 * @param helpers the addresses of helpers, tried in turn
 * @param attempts the maximum number of attempts in one dialog, at least 1
 * @param dialogs the maximum number of dialogs under way, at least 1, of which one is shown and the
 *     others wait. Further ones are refused
 */
public record AgentOptions(
        boolean fallback, String locale, List<HelperAddress> helpers, int attempts, int dialogs) {
    private static final AgentOptions STANDARD =
            new AgentOptions(false, "C", HelperAddress.KNOWN, 3, 16);

    /**
     * @throws IllegalArgumentException if a number is not positive
     */
    public AgentOptions {
        helpers = List.copyOf(helpers);
        if (attempts < 1 || dialogs < 1) {
            throw new IllegalArgumentException(
                    "attempts and dialogs must be positive, not %d and %d"
                            .formatted(attempts, dialogs));
        }
    }

    /**
     * Returns the defaults: no fallback, locale C, the known helpers, three attempts, 16 dialogs.
     */
    public static AgentOptions standard() {
        return STANDARD;
    }

    public AgentOptions withFallback(boolean last) {
        return new AgentOptions(last, locale, helpers, attempts, dialogs);
    }

    public AgentOptions withLocale(String name) {
        return new AgentOptions(fallback, name, helpers, attempts, dialogs);
    }

    public AgentOptions withHelpers(List<HelperAddress> addresses) {
        return new AgentOptions(fallback, locale, addresses, attempts, dialogs);
    }
}
