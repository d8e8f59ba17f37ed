package io.holdfast.bus.config;

import org.jspecify.annotations.Nullable;

/**
 * One {@code <allow>} or {@code <deny>}.
 *
 * @param text the rule as it was written, for logs
 */
public record PolicyRule(boolean allow, Test test, String text, Place place) {
    /** What a rule is about. In all of them null is any, and so is "*". */
    public sealed interface Test permits ConnectTest, OwnTest, MessageTest {}

    /**
     * Who connects: exactly one of the two is given.
     *
     * @param user a name or number, or "*"
     * @param group likewise
     */
    public record ConnectTest(@Nullable String user, @Nullable String group) implements Test {}

    /**
     * Which name is to be owned.
     *
     * @param prefix whether names below it are meant too
     */
    public record OwnTest(@Nullable String name, boolean prefix) implements Test {}

    /**
     * Which message is to be sent or received.
     *
     * @param send false: received
     * @param peer a name of the other side
     * @param peerIsPrefix whether names below it are meant too
     * @param type a {@link io.holdfast.dbus.wire.MessageType}; 0 is any
     * @param broadcast whether the signal may be a broadcast, or must not be
     * @param requestedReply of an allowing rule: only replies that were asked for. Of a denying
     *     rule: those too. A reply that was not asked for is handed on by no bus of ours, whatever
     *     its rules allow
     * @param eavesdrop of an allowing rule: also what is addressed to others. Of a denying rule:
     *     only that
     * @param minFds fewest descriptors
     * @param maxFds most descriptors
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

    /** The rule and its place. */
    @Override
    public String toString() {
        return text + " (" + place + ")";
    }
}
