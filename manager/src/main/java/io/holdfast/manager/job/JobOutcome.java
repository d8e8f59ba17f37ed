package io.holdfast.manager.job;

import java.util.List;
import java.util.Optional;

/**
 * How a requested job ended, and what its caller should know about it.
 *
 * @param reason why the request was refused or the job did not succeed, as far as that is known;
 *     names the other unit if another unit is the cause
 * @param warnings one line each; also of a job that succeeded
 */
public record JobOutcome(JobResult result, Optional<String> reason, List<String> warnings) {
    public JobOutcome {
        warnings = List.copyOf(warnings);
    }

    /** The outcome of a request until its job has ended. */
    public static final JobOutcome NONE =
            new JobOutcome(JobResult.INVALID, Optional.empty(), List.of());
}
