package io.holdfast.bus.config;

import org.jspecify.annotations.Nullable;

/**
 * One {@code <allow>} or {@code <deny>} element.
 *
 * @param text the rule as it was written, for logs
 */
public record PolicyRule(boolean allow, Test test, String text, ConfigPlace place) {
    /** What a rule tests. {@code null} and "*" match any value. */
    public sealed interface Test permits ConnectTest, OwnTest, MessageTest {}

    /**
     * Tests the connecting user: exactly one of the two is set.
     *
     * @param user a name or number, or "*"
     * @param group likewise
     */
    public record ConnectTest(@Nullable String user, @Nullable String group) implements Test {}

    /**
     * Tests a requested name.
     *
     * @param prefix whether it also matches names below it
     */
    public record OwnTest(@Nullable String name, boolean prefix) implements Test {}

    /**
     * Tests a message that is sent or received.
     *
     * @param send true for sending, false for receiving
     * @param peer a name of the other side
     * @param peerIsPrefix whether it also matches names below it
     * @param type a {@link io.holdfast.dbus.wire.MessageType}; 0 matches any
     * @param broadcast true matches only broadcasts, false matches everything else
     * @param requestedReply in an allow rule: of replies, it matches only requested ones. In a deny
     *     rule: it matches requested replies too. This bus never delivers a reply that was not
     *     requested, whatever its rules allow
     * @param eavesdrop in an allow rule: it also matches messages addressed to others. In a deny
     *     rule: it matches only those
     * @param minFds the fewest descriptors
     * @param maxFds the most descriptors
     */
    public record MessageTest(
            boolean send,
            @Nullable String peer,
            boolean peerIsPrefix,
            @Nullable String interfaceName,
            @Nullable String member,
            @Nullable String path,
            @Nullable String error,
            int type,
            @Nullable Boolean broadcast,
            boolean requestedReply,
            boolean eavesdrop,
            int minFds,
            int maxFds)
            implements Test {}

    /** Returns the rule and its place. */
    @Override
    public String toString() {
        return text + " (" + place + ")";
    }
}
