package io.holdfast.authority.survival;

import java.util.List;

/**
 * The records of the previous authority.
 *
 * @param authorizations their subjects are owned by the receiver
 * @param agents to be looked for on their bus
 * @param dropped the records that are no longer valid, each with its reason
 */
public record Recovered(
        List<AuthorizationRecord> authorizations, List<AgentRecord> agents, List<String> dropped) {
    /** No records. */
    public static final Recovered NOTHING = new Recovered(List.of(), List.of(), List.of());

    private static final int SHOWN = 20;

    /** Joins names for one line of the log; a long list is cut. */
    public static String shown(List<String> dropped) {
        String all = String.join(", ", dropped.subList(0, Math.min(dropped.size(), SHOWN)));
        return dropped.size() <= SHOWN ? all : all + ", and " + (dropped.size() - SHOWN) + " more";
    }
}
