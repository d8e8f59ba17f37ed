package io.holdfast.authority;

import static java.lang.System.Logger.Level.DEBUG;
import static java.lang.System.Logger.Level.INFO;

import io.holdfast.core.text.PrintableText;
import java.lang.System.Logger.Level;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Tells of each decision: an event for Java Flight Recorder, and a line for the audit. Refusals and
 * what somebody has authenticated for are told at INFO, other grants and what the program itself
 * asks at DEBUG. What comes from others is escaped.
 */
final class DecisionLog {
    private static final System.Logger AUDIT = System.getLogger("io.holdfast.authority.audit");

    /**
     * @param failure why there is no decision, if there is none
     */
    void tell(CheckRequest request, @Nullable Decision decision, @Nullable Throwable failure) {
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
        boolean granted =
                decision != null && decision.isAuthorized() && !isByAuthentication(decision);
        Level level = granted || request.caller().equals(Caller.SELF) ? DEBUG : INFO;
        if (AUDIT.isLoggable(level)) {
            AUDIT.log(level, line(request, decision, failure));
        }
    }

    private static boolean isByAuthentication(Decision decision) {
        if (decision.explanation().isPresent()) { // of every check: no stream for it
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
        return PrintableText.of(
                "%s: %s for %s, asked by %s: %s"
                        .formatted(
                                request.action(),
                                answer,
                                request.subject(),
                                request.caller(),
                                why));
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
