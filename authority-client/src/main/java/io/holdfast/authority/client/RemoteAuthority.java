package io.holdfast.authority.client;

import static java.util.Objects.requireNonNull;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * The common part of authorities over a connection: each check waits on its own virtual thread, and
 * every failure is a refusal.
 */
abstract class RemoteAuthority implements Authority {
    /**
     * The parameters of a check.
     *
     * @param process the process, owned by the thread that makes the check
     */
    record Check(
            PidFd process,
            long uid,
            String action,
            Map<String, String> details,
            Set<Option> options) {}

    /** Sends the check and waits for the answer. Any exception becomes a refusal. */
    abstract Decision sendCheck(Check check) throws InterruptedException;

    @Override
    public CompletableFuture<Decision> check(
            Peer peer, String action, Map<String, String> details, Option... options) {
        return switch (peer) {
            case Peer.Held(PidFd process, _, long uid, _, _, _) ->
                    check(process, uid, action, details, options);
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
        requireNonNull(action, "action");
        EnumSet<Option> optionSet = EnumSet.noneOf(Option.class);
        optionSet.addAll(List.of(options));
        Map<String, String> copied = Map.copyOf(details);
        if (uid < 0 || uid > MAX_UID) {
            return CompletableFuture.completedFuture(
                    Decision.refused("invalid uid " + uid + " (0 to " + MAX_UID + ")"));
        }
        CompletableFuture<Decision> answer = new CompletableFuture<>();
        Check check;
        try {
            check = new Check(process.duplicate(), uid, action, copied, optionSet);
        } catch (ErrnoException | IllegalStateException e) {
            return CompletableFuture.completedFuture(
                    Decision.refused(String.valueOf(e.getMessage())));
        }
        Thread checking =
                Thread.ofVirtual()
                        .name("authority check " + action)
                        .start(() -> answer.complete(decide(check)));
        var _ =
                answer.whenComplete((_, _) -> {
                    if (answer.isCancelled()) {
                        checking.interrupt();
                    }
                });
        return answer;
    }

    private Decision decide(Check check) {
        try (PidFd _ = check.process()) {
            return sendCheck(check);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Decision.refused("interrupted");
        } catch (RuntimeException | Error e) { // in any case: the caller waits for the answer
            return Decision.refused(this + ": " + (e.getMessage() == null ? e : e.getMessage()));
        }
    }
}
