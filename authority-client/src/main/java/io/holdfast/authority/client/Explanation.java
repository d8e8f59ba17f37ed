package io.holdfast.authority.client;

import java.util.List;

/**
 * How a decision came to be: what was looked at in order, and what each came to. The last step is
 * the reason of the answer.
 */
public record Explanation(List<Step> steps) {
    public Explanation {
        steps = List.copyOf(steps);
    }

    /**
     * One step.
     *
     * @param topic what was looked at: {@code subject}, {@code caller}, {@code action}, {@code
     *     rule}, {@code temporary authorization}, {@code imply}, {@code dialog}, {@code answer} …
     * @param text what it came to, in one line
     * @param place file and line, where there is one; else empty
     */
    public record Step(String topic, String text, String place) {
        @Override
        public String toString() {
            return topic + ": " + text + (place.isEmpty() ? "" : " (" + place + ")");
        }
    }

    /** A line a step. */
    @Override
    public String toString() {
        return String.join("\n", steps.stream().map(Step::toString).toList());
    }
}
