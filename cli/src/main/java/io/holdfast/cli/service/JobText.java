package io.holdfast.cli.service;

/** Explains why a job for a unit failed. */
final class JobText {
    /** The load state of a unit that does not exist. */
    static final String NOT_FOUND = "not-found";

    private static final String MISSING =
            "there is no such unit; install the package that ships it, or give the folder of its"
                    + " unit file: holdfast up --units DIR";

    private JobText() {}

    /**
     * Returns the reason in words.
     *
     * @param verb the kind of the job: {@code start}, …
     * @param result systemd's word for the result of the job
     * @param loadState the load state of the unit
     */
    static String of(String verb, String result, String loadState) {
        if (loadState.equals(NOT_FOUND)) {
            return verb.equals("start") || verb.equals("restart")
                    ? MISSING
                    : "there is no such unit";
        }
        return switch (result) {
            case "canceled" -> "another job replaced it, or conflicts with it (canceled)";
            case "timeout" -> "timed out (timeout)";
            case "dependency" -> "dependency failed (dependency)";
            case "assert" -> "an Assert…= condition is not met (assert)";
            case "invalid" ->
                    verb.equals("reload")
                            ? "not running, or no ExecReload= (invalid)"
                            : "the unit cannot be loaded, or does not support this (invalid)";
            default -> result;
        };
    }
}
