package io.holdfast.authority;

import io.holdfast.authority.client.Decision;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * The checks that are not answered yet, by connection. It limits them by connection and by user,
 * and lets a connection cancel its own. Thread-safe.
 */
final class ChecksUnderWay {
    /** The maximum number of checks of one connection. */
    static final int MAX_PER_CONNECTION = AuthorityLimits.CHECKS_OF_CONNECTION.intValue();

    /**
     * The maximum number of checks of one user other than root, on all of the user's connections:
     * low enough to leave room for others in the calls that the bus connection may have under way
     * ({@code ConnectionOptions.incomingCalls}).
     */
    static final int MAX_PER_USER = AuthorityLimits.CHECKS_OF_USER.intValue();

    private final Map<String, Set<Running>> byConnection = new HashMap<>();
    private final Map<Long, Integer> byUser = new HashMap<>();

    private record Running(long user, String cancellationId, CompletableFuture<Decision> answer) {}

    /**
     * Adds a check until it is answered.
     *
     * @throws AuthorityException if its connection has a check with the same cancellation id, or
     *     the connection or the user has too many
     */
    synchronized void add(CheckRequest request, CompletableFuture<Decision> answer) {
        String connection = request.caller().connection();
        Set<Running> ofConnection = byConnection.getOrDefault(connection, Set.of());
        String id = request.cancellationId();
        if (!id.isEmpty()
                && ofConnection.stream().anyMatch(each -> each.cancellationId().equals(id))) {
            throw new AuthorityException(
                    AuthorityException.Kind.CANCELLATION_ID_NOT_UNIQUE,
                    "Given cancellation_id " + id + " is already in use for name " + connection);
        }
        if (!connection.isEmpty() && ofConnection.size() >= MAX_PER_CONNECTION) {
            throw AuthorityException.failed(
                    "%s has %d checks under way, which is the limit; %s"
                            .formatted(
                                    connection,
                                    ofConnection.size(),
                                    AuthorityLimits.CHECKS_OF_CONNECTION.remedy()));
        }
        long user = request.caller().uid();
        int ofUser = byUser.getOrDefault(user, 0);
        if (!request.caller().isRoot() && ofUser >= MAX_PER_USER) {
            throw AuthorityException.failed(
                    "user %d has %d checks under way, which is the limit; %s"
                            .formatted(user, ofUser, AuthorityLimits.CHECKS_OF_USER.remedy()));
        }
        Running running = new Running(user, id, answer);
        byConnection.computeIfAbsent(connection, _ -> new LinkedHashSet<>()).add(running);
        byUser.merge(user, 1, Integer::sum);
        var _ = answer.whenComplete((_, _) -> remove(connection, running));
    }

    private synchronized void remove(String connection, Running running) {
        Set<Running> ofConnection = byConnection.get(connection);
        if (ofConnection != null && ofConnection.remove(running)) {
            byUser.computeIfPresent(
                    running.user(),
                    (_, number) -> number == 1 ? null : Integer.valueOf(number - 1));
            if (ofConnection.isEmpty()) {
                byConnection.remove(connection);
            }
        }
    }

    /**
     * Cancels a check.
     *
     * @throws AuthorityException if the connection has no check with this id
     */
    void cancel(String connection, String cancellationId) {
        List<Running> found =
                find(connection).stream()
                        .filter(each -> each.cancellationId().equals(cancellationId))
                        .toList();
        if (cancellationId.isEmpty() || found.isEmpty()) {
            throw AuthorityException.failed(
                    "No such cancellation_id " + cancellationId + " for name " + connection);
        }
        found.forEach(ChecksUnderWay::cancel);
    }

    /** Returns the connections that have checks. */
    synchronized Set<String> connections() {
        return Set.copyOf(byConnection.keySet());
    }

    /** Returns how many checks each user has. */
    synchronized Map<Long, Integer> ofUsers() {
        return Map.copyOf(byUser);
    }

    /** Cancels all checks of a connection that has gone. */
    void cancelAll(String connection) {
        find(connection).forEach(ChecksUnderWay::cancel);
    }

    private synchronized List<Running> find(String connection) {
        return new ArrayList<>(byConnection.getOrDefault(connection, Set.of()));
    }

    private static void cancel(Running running) {
        boolean ignored =
                running.answer()
                        .completeExceptionally(
                                new AuthorityException(
                                        AuthorityException.Kind.CANCELLED,
                                        "Operation was cancelled"));
    }
}
