package io.holdfast.authority.agent;

/** A line from a helper. Its text comes from a PAM module and is not trusted. */
sealed interface HelperLine {
    /**
     * A prompt; the helper waits for an answer.
     *
     * @param echo whether the answer may be visible
     */
    record Prompt(String text, boolean echo) implements HelperLine {}

    /** A message for the user. */
    record Message(String text, boolean isError) implements HelperLine {}

    /** The end of the dialog. */
    record End(boolean authenticated) implements HelperLine {}
}
