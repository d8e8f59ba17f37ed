/**
 * Execution of a unit's commands: from its settings to execve(2).
 *
 * <p>{@link io.holdfast.manager.exec.Execution} is the entry point: it looks up the user ({@link
 * io.holdfast.manager.exec.UserAndGroups}), makes the folders ({@link
 * io.holdfast.manager.exec.ExecDirectories}), the view of the file system ({@link
 * io.holdfast.manager.exec.Sandbox}), the environment and the streams, and then spawns the process.
 * It runs on a worker, and knows nothing of states and jobs.
 */
@NullMarked
package io.holdfast.manager.exec;

import org.jspecify.annotations.NullMarked;
