package io.holdfast.manager.access;

import io.holdfast.core.socket.Peer;
import io.holdfast.manager.access.DeniedException.Reason;
import io.holdfast.manager.access.Permission.Question;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Authorizes callers, in the same way on every interface. A caller other than an owner is judged on
 * a virtual thread, which may wait for an authority and for a user whom the authority asks.
 * Thread-safe.
 */
public final class Guard {
    private final Permission permission;

    public Guard(Permission permission) {
        this.permission = permission;
    }

    /** Looks up the process of a caller. */
    @FunctionalInterface
    public interface Caller {
        /**
         * Returns the caller; lent. May block.
         *
         * @return null if the caller is gone
         */
        @Nullable Peer peer() throws InterruptedException;
    }

    /**
     * Authorizes a caller that is already known; an owner at once.
     *
     * @param peer lent until the future completes
     * @param questions all of which have to be granted
     * @return fails with {@link DeniedException}
     */
    public CompletableFuture<Void> permit(Peer peer, List<Question> questions) {
        return Permission.isOwner(peer)
                ? CompletableFuture.completedFuture(null)
                : permit(() -> peer, questions);
    }

    /**
     * Authorizes a caller that has to be looked up first.
     *
     * @param questions all of which have to be granted; the first names the thread
     * @return fails with {@link DeniedException}
     */
    public CompletableFuture<Void> permit(Caller caller, List<Question> questions) {
        CompletableFuture<Void> judged = new CompletableFuture<>();
        var _ =
                Thread.ofVirtual()
                        .name("permission " + questions.getFirst().action())
                        .start(() -> judge(caller, questions, judged));
        return judged;
    }

    private void judge(Caller caller, List<Question> questions, CompletableFuture<Void> judged) {
        try {
            Peer peer = caller.peer();
            for (Question question : questions) {
                if (peer == null
                        || !(Permission.isOwner(peer) || permission.isGranted(peer, question))) {
                    throw denied(question);
                }
            }
            judged.complete(null);
        } catch (InterruptedException e) {
            judged.completeExceptionally(denied(questions.getFirst()));
        } catch (RejectedExecutionException e) {
            judged.completeExceptionally(
                    new DeniedException(Reason.TOO_MANY, String.valueOf(e.getMessage())));
        } catch (RuntimeException e) {
            judged.completeExceptionally(e);
        }
    }

    private static DeniedException denied(Question question) {
        return new DeniedException(Reason.NOT_PERMITTED, "Permission denied: " + question.action());
    }
}
