package io.holdfast.authority;

import static java.lang.System.Logger.Level.DEBUG;

import io.holdfast.authority.client.Decision;
import io.holdfast.authority.client.Explanation;
import io.holdfast.core.limit.Throttle;
import io.holdfast.core.text.PrintableText;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Reports each decision as a Java Flight Recorder event and as a line of the audit log. Refusals,
 * challenges and grants by authentication are logged at INFO, throttled for each user ({@link
 * UserLines}); other grants, and the checks of the program that embeds the authority, at DEBUG.
 * Text from other processes is escaped and cut.
 */
final class DecisionLog {
    private static final System.Logger AUDIT = System.getLogger("io.holdfast.authority.audit");

    private final UserLines lines;

    /**
     * Makes the log of decisions.
     *
     * @param timer logs the number of suppressed lines when an interval ends
     * @param nanoTime a clock like {@link System#nanoTime}
     */
    DecisionLog(Throttle.Timer timer, LongSupplier nanoTime) {
        this.lines = UserLines.of(AUDIT, nanoTime).withTimer(timer);
    }

    /**
     * Reports a decision, or a check that ended without one.
     *
     * @param failure why there is no decision; null if there is one
     */
    void report(CheckRequest request, @Nullable Decision decision, @Nullable Throwable failure) {
        DecisionEvent event = new DecisionEvent();
        if (event.shouldCommit()) {
            event.action = request.action();
            event.subject = request.subject().toString();
            event.caller = request.caller().toString();
            event.authorized = decision != null && decision.isAuthorized();
            event.challenge = decision != null && decision.isChallenge();
            event.explanation = explanation(decision, failure);
            event.commit();
        }
        UserLines.Kind kind = UserLines.Kind.REFUSED;
        boolean quiet = request.caller().equals(Caller.SELF);
        if (decision != null && decision.isAuthorized()) {
            kind = UserLines.Kind.AUTHENTICATED;
            quiet |= !isByAuthentication(decision);
        }
        if (!quiet) {
            lines.log(kind, responsible(request, decision), line(request, decision, failure));
        } else if (AUDIT.isLoggable(DEBUG)) {
            String line = line(request, decision, failure);
            AUDIT.log(DEBUG, PrintableText.of(line, UserLines.LENGTH));
        }
    }

    /**
     * Returns the user who caused the check. A caller that was allowed to ask about the subject
     * asks on its behalf, as a daemon does for its client; otherwise the caller is responsible.
     */
    private static long responsible(CheckRequest request, @Nullable Decision decision) {
        return decision == null ? request.caller().uid() : request.subject().uid();
    }

    private static boolean isByAuthentication(Decision decision) {
        if (decision.explanation().isPresent()) { // runs for every check: no stream
            for (Explanation.Step step : decision.explanation().get().steps()) {
                if (step.topic().equals(Check.DIALOG)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static String line(
            CheckRequest request, @Nullable Decision decision, @Nullable Throwable failure) {
        String answer;
        if (decision == null) {
            answer = "no answer";
        } else if (decision.isAuthorized()) {
            answer = "yes";
        } else {
            answer = decision.isChallenge() ? "challenge" : "no";
        }
        String why =
                decision == null
                        ? String.valueOf(failure == null ? null : failure.getMessage())
                        : decision.explanation()
                                .map(each -> each.steps().getLast().text())
                                .or(decision::failure)
                                .orElse("");
        return "%s: %s for %s, asked by %s: %s"
                .formatted(request.action(), answer, request.subject(), request.caller(), why);
    }

    private static String explanation(@Nullable Decision decision, @Nullable Throwable failure) {
        return decision == null
                ? String.valueOf(failure)
                : Optional.of(decision)
                        .flatMap(Decision::explanation)
                        .map(Explanation::toString)
                        .orElse("");
    }
}
