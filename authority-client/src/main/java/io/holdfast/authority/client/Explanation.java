package io.holdfast.authority.client;

import java.util.List;

/**
 * How an authority came to a decision: its steps, in their order. The last step is the reason for
 * the answer.
 *
 * <pre>{@code
 * subject: process 4711 of user 1000, unit web.service
 * action: org.example.reboot, no for processes without a session
 * rule: returned "yes" (/etc/polkit-1/rules.d/10-example.rules:2)
 * }</pre>
 *
 * <p>For people: an authority may change texts and topics. Immutable.
 *
 * @param steps the steps in their order
 */
public record Explanation(List<Step> steps) {
    /** Copies the steps. */
    public Explanation {
        steps = List.copyOf(steps);
    }

    /**
     * A step of the evaluation.
     *
     * @param topic what the authority examined: {@code subject}, {@code caller}, {@code action},
     *     {@code rule}, {@code temporary authorization}, {@code imply}, {@code dialog}, {@code
     *     answer} …
     * @param text the result, in one line
     * @param place file and line of the action or rule; empty if there is none
     */
    public record Step(String topic, String text, String place) {
        /** {@return the step in one line} */
        @Override
        public String toString() {
            return topic + ": " + text + (place.isEmpty() ? "" : " (" + place + ")");
        }
    }

    /** {@return a line for each step} */
    @Override
    public String toString() {
        return String.join("\n", steps.stream().map(Step::toString).toList());
    }
}
