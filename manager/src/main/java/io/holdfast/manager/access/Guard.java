package io.holdfast.manager.access;

import io.holdfast.core.socket.Peer;
import io.holdfast.manager.access.DeniedException.Reason;
import io.holdfast.manager.access.Permission.Question;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * Lets pass whoever may, the same on all faces: who is no owner is judged on a virtual thread of
 * its own, which may wait for an authority and for a user that it asks. Thread-safe.
 */
public final class Guard {
    private final Permission permission;

    public Guard(Permission permission) {
        this.permission = permission;
    }

    /** How a face knows who calls. */
    @FunctionalInterface
    public interface Caller {
        /**
         * Who calls; lent. May wait.
         *
         * @return null if he is gone
         */
        @Nullable Peer peer() throws InterruptedException;
    }

    /**
     * Judges a caller who is known already: an owner at once.
     *
     * @param peer lent until the answer is there
     * @param questions all of which have to be granted
     * @return fails with {@link DeniedException}
     */
    public CompletableFuture<Void> permit(Peer peer, List<Question> questions) {
        return Permission.isOwner(peer)
                ? CompletableFuture.completedFuture(null)
                : permit(() -> peer, questions);
    }

    /**
     * Judges a caller who has to be asked for.
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
