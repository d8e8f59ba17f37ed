package io.holdfast.authority.survival;

import java.util.List;

/**
 * What was found of the authority before this one.
 *
 * @param authorizations whose subjects are owned by the receiver
 * @param agents to be looked for on their bus
 * @param dropped what does not count any more, each with its reason
 */
public record Recovered(
        List<KeptAuthorization> authorizations, List<KeptAgent> agents, List<String> dropped) {
    /** Nothing was written down. */
    public static final Recovered NOTHING = new Recovered(List.of(), List.of(), List.of());

    private static final int SHOWN = 20;

    /** What was dropped, for one line of the log. */
    public static String shown(List<String> dropped) {
        String all = String.join(", ", dropped.subList(0, Math.min(dropped.size(), SHOWN)));
        return dropped.size() <= SHOWN ? all : all + ", and " + (dropped.size() - SHOWN) + " more";
    }
}
