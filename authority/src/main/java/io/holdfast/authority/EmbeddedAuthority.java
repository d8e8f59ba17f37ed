package io.holdfast.authority;

import static java.util.Objects.requireNonNull;

import io.holdfast.authority.client.Authority;
import io.holdfast.authority.client.Decision;
import io.holdfast.authority.subject.Subject;
import io.holdfast.authority.subject.Subject.Origin;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/**
 * The {@link Authority} of a program that runs its own {@link AuthorityEngine}. Closing it leaves
 * the engine open.
 */
public final class EmbeddedAuthority implements Authority {
    private final AuthorityEngine engine;

    private EmbeddedAuthority(AuthorityEngine engine) {
        this.engine = engine;
    }

    /** Returns an authority that sends its checks to this engine. */
    public static EmbeddedAuthority of(AuthorityEngine engine) {
        return new EmbeddedAuthority(engine);
    }

    @Override
    public CompletableFuture<Decision> check(
            Peer peer, String action, Map<String, String> details, Option... options) {
        return switch (peer) {
            case Peer.Held held ->
                    check(() -> Subject.UnixProcess.of(held).duplicate(), action, details, options);
            case Peer.BestEffort _, Peer.Gone _ ->
                    CompletableFuture.completedFuture(
                            Decision.refused(peer + " cannot be identified"));
        };
    }

    @Override
    public CompletableFuture<Decision> check(
            PidFd process,
            long uid,
            String action,
            Map<String, String> details,
            Option... options) {
        if (uid < 0 || uid > MAX_UID) {
            return CompletableFuture.completedFuture(
                    Decision.refused("invalid uid " + uid + " (0 to " + MAX_UID + ")"));
        }
        return check(
                () -> Subject.UnixProcess.claimed(process.duplicate(), uid, Origin.DESCRIPTOR),
                action,
                details,
                options);
    }

    private CompletableFuture<Decision> check(
            Supplier<Subject> made, String action, Map<String, String> details, Option... options) {
        requireNonNull(action, "action");
        List<Option> wanted = List.of(options);
        Map<String, String> given = Map.copyOf(details);
        boolean explained = wanted.contains(Option.EXPLAIN);
        Subject subject;
        try {
            subject = made.get();
        } catch (ErrnoException | IllegalStateException e) {
            return CompletableFuture.completedFuture(
                    Decision.refused(String.valueOf(e.getMessage())));
        }
        CompletableFuture<Decision> decision =
                engine.check(
                        new CheckRequest(
                                Caller.SELF,
                                subject,
                                action,
                                given,
                                wanted.contains(Option.INTERACTIVE),
                                wanted.contains(Option.ALWAYS),
                                "",
                                explained));
        CompletableFuture<Decision> answer =
                decision.thenApply(decided -> explained ? decided : unexplained(decided))
                        .exceptionally(e -> Decision.refused(String.valueOf(e.getMessage())));
        var _ =
                answer.whenComplete((_, _) -> {
                    if (answer.isCancelled()) {
                        boolean ignored = decision.cancel(false);
                    }
                });
        return answer;
    }

    private static Decision unexplained(Decision decision) {
        return new Decision(
                decision.isAuthorized(),
                decision.isChallenge(),
                decision.details(),
                decision.failure(),
                Optional.empty());
    }

    /** Does nothing: the engine belongs to the program that opened it. */
    @Override
    public void close() {}

    @Override
    public String toString() {
        return engine.toString();
    }
}
