/**
 * Running a program to its end, and capturing its output.
 *
 * <pre>{@code
 * RunResult result = Run.of("git", "status", "--porcelain").timeout(Duration.ofSeconds(10)).run();
 * List<String> changed = result.requireSuccess().outputLines();
 * }</pre>
 *
 * <p>{@link io.holdfast.core.run.Run} is the entry point. Each run has a {@link
 * io.holdfast.core.scope.ProcessScope} of its own: processes that the program started are ended
 * with it.
 */
@NullMarked
package io.holdfast.core.run;

import org.jspecify.annotations.NullMarked;
