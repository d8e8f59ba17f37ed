/**
 * Running a program to its end, and keeping what it writes.
 *
 * <pre>{@code
 * RunResult result = Run.of("git", "status", "--porcelain").timeout(Duration.ofSeconds(10)).run();
 * List<String> changed = result.requireSuccess().outputLines();
 * }</pre>
 *
 * <p>{@link io.holdfast.core.run.Run} is the entry. Each run is a {@link
 * io.holdfast.core.scope.ProcessScope} of its own: what the program started ends with it.
 */
@NullMarked
package io.holdfast.core.run;

import org.jspecify.annotations.NullMarked;
