package io.holdfast.cli.up;

import io.holdfast.manager.job.JobResult;
import java.util.Optional;

/** Explains why a job for a unit did not succeed. */
public final class JobText {
    /** The load state of a unit that does not exist. */
    static final String NOT_FOUND = "not-found";

    private static final String MISSING =
            "there is no such unit; install the package that ships it, or give the folder of its"
                    + " unit file: holdfast up --units DIR";
    private static final String NO_STACK =
            "this manager was started with other units only, so it has no bus and no authority;"
                    + " end it, and start it with: holdfast up holdfast.target UNIT...";

    private JobText() {}

    /**
     * Returns the reason in words.
     *
     * @param verb the kind of the job: {@code start}, …
     * @param unit the name of the unit
     * @param result systemd's word for the result of the job
     * @param reason what the manager knows about the cause
     * @param loadState the load state of the unit
     */
    public static String of(
            String verb, String unit, String result, Optional<String> reason, String loadState) {
        if (loadState.equals(NOT_FOUND)) {
            boolean starts = verb.equals("start") || verb.equals("restart");
            return starts && unit.equals(Stack.TARGET.text())
                    ? NO_STACK
                    : starts ? MISSING : "there is no such unit";
        }
        String known = reason.map(text -> ": " + text).orElse("");
        return switch (result) {
            case "canceled" -> "another job replaced it, or conflicts with it" + known;
            case "timeout" -> "timed out" + known;
            case "dependency" ->
                    reason.filter(text -> text.startsWith("dependency failed"))
                            .orElse("dependency failed" + known);
            case "assert" -> reason.orElse("an Assert…= condition is not met");
            case "failed" -> "failed" + known;
            default -> reason.orElse(result); // invalid, unsupported: the reason says all
        };
    }

    /**
     * Returns whether the status of the unit shows more about such a result than its reason: the
     * exit of the process, and its last lines of output.
     */
    public static boolean isInStatus(String result) {
        return result.equals(JobResult.FAILED.word())
                || result.equals(JobResult.TIMEOUT.word())
                || result.equals(JobResult.DEPENDENCY.word());
    }
}
