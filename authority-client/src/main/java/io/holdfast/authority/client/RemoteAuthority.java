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
 * What the authorities that are asked over a connection have in common: each question waits on a
 * virtual thread of its own, and whatever goes wrong is a refusal.
 */
abstract class RemoteAuthority implements Authority {
    /**
     * A question.
     *
     * @param process owned by who asks it
     */
    record Question(
            PidFd process,
            long uid,
            String action,
            Map<String, String> details,
            Set<Option> options) {}

    /** Asks, and waits for the answer. May throw whatever it likes: that is a refusal. */
    abstract Decision ask(Question question) throws InterruptedException;

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
        EnumSet<Option> wanted = EnumSet.noneOf(Option.class);
        wanted.addAll(List.of(options));
        Map<String, String> given = Map.copyOf(details);
        if (uid < 0 || uid > MAX_UID) {
            return CompletableFuture.completedFuture(
                    Decision.refused("no user has the number " + uid + ": 0 to " + MAX_UID));
        }
        CompletableFuture<Decision> answer = new CompletableFuture<>();
        Question question;
        try {
            question = new Question(process.duplicate(), uid, action, given, wanted);
        } catch (ErrnoException | IllegalStateException e) {
            return CompletableFuture.completedFuture(
                    Decision.refused(String.valueOf(e.getMessage())));
        }
        Thread asking =
                Thread.ofVirtual()
                        .name("asks about " + action)
                        .start(() -> answer.complete(answer(question)));
        var _ =
                answer.whenComplete((_, _) -> {
                    if (answer.isCancelled()) {
                        asking.interrupt();
                    }
                });
        return answer;
    }

    private Decision answer(Question question) {
        try (PidFd _ = question.process()) {
            return ask(question);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Decision.refused("interrupted");
        } catch (RuntimeException | Error e) { // whatever it is: somebody waits for the answer
            return Decision.refused(this + ": " + (e.getMessage() == null ? e : e.getMessage()));
        }
    }
}
