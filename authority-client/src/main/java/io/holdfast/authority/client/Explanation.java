package io.holdfast.authority.client;

import java.util.List;

/**
 * How a decision came to be: the steps of the authority, in their order. The last one is the reason
 * of the answer.
 *
 * <pre>{@code
 * subject: process 4711 of user 1000, unit web.service
 * action: org.example.reboot, no for processes without a session
 * rule: returned "yes" (/etc/polkit-1/rules.d/10-example.rules:2)
 * }</pre>
 *
 * <p>For people: an authority may change texts and topics. Immutable.
 *
 * @param steps in their order
 */
public record Explanation(List<Step> steps) {
    /** Makes an explanation. */
    public Explanation {
        steps = List.copyOf(steps);
    }

    /**
     * A step of an authority.
     *
     * @param topic what the authority looked at: {@code subject}, {@code caller}, {@code action},
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
