package io.holdfast.authority.agent;

/** A line of a helper. Texts are of PAM modules: data, and not to be trusted. */
sealed interface HelperLine {
    /**
     * It waits for an answer.
     *
     * @param echo whether that may be seen
     */
    record Prompt(String text, boolean echo) implements HelperLine {}

    /** It tells something. */
    record Message(String text, boolean isError) implements HelperLine {}

    /** It has ended. */
    record End(boolean authenticated) implements HelperLine {}
}
