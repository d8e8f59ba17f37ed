package io.holdfast.cli.service;

/** Why a job for a unit did not come to its end. */
final class JobText {
    /** The load state of a unit that is not there. */
    static final String NOT_FOUND = "not-found";

    private static final String MISSING =
            "there is no such unit; install the package that ships it, or give the folder of its"
                    + " unit file to: holdfast up --units DIR";

    private JobText() {}

    /**
     * @param verb what was asked for: {@code start}, …
     * @param result systemd's word for the end of the job
     * @param loadState of the unit
     */
    static String of(String verb, String result, String loadState) {
        if (loadState.equals(NOT_FOUND)) {
            return verb.equals("start") || verb.equals("restart")
                    ? MISSING
                    : "there is no such unit";
        }
        return switch (result) {
            case "canceled" -> "another job took its place, or is in its way (canceled)";
            case "timeout" -> "it took too long (timeout)";
            case "dependency" -> "something that it requires did not start (dependency)";
            case "assert" -> "an Assert…= of its does not hold (assert)";
            case "invalid" ->
                    verb.equals("reload")
                            ? "it does not run, or has no ExecReload= (invalid)"
                            : "it cannot be loaded, or not be run here (invalid)";
            default -> result;
        };
    }
}
