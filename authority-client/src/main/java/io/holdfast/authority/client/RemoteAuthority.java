package io.holdfast.authority.client;

import static java.util.Objects.requireNonNull;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.process.PidFd;
import io.holdfast.core.socket.Peer;
import java.time.Duration;
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
    /** The time limit of a check, apart from the time in which a user authenticates. */
    static final Duration TIMEOUT = Duration.ofSeconds(25);

    private static final Duration DIALOG_TIMEOUT = Duration.ofDays(1);

    private final Duration timeout;

    /**
     * @param timeout the time limit of a check: {@link #TIMEOUT}, except in tests
     */
    RemoteAuthority(Duration timeout) {
        this.timeout = timeout;
    }

    /**
     * The parameters of a check.
     *
     * @param process the process, owned by the thread that makes the check
     * @param end when its time limit ends, on the clock of {@link System#nanoTime}
     */
    record Check(
            PidFd process,
            long uid,
            String action,
            Map<String, String> details,
            Set<Option> options,
            long end) {
        boolean isInteractive() {
            return options.contains(Option.INTERACTIVE);
        }

        /** Returns the time that is left to reach the authority; 1 ns if none is. */
        Duration timeLeft() {
            return Duration.ofNanos(Math.max(1, end - System.nanoTime()));
        }

        /** Returns the time limit of the authority's answer. */
        Duration answerTimeout() {
            return isInteractive() ? DIALOG_TIMEOUT : timeLeft();
        }
    }

    /**
     * Sends the check and waits for the answer, within the time limits of the check. Any exception
     * becomes a refusal.
     */
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
            long end = System.nanoTime() + timeout.toNanos();
            check = new Check(process.duplicate(), uid, action, copied, optionSet, end);
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
