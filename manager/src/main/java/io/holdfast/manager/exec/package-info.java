/**
 * From a unit's settings to the execve(2) of a command.
 *
 * <p>{@link io.holdfast.manager.exec.Execution} is the way: the user ({@link
 * io.holdfast.manager.exec.Identity}), the folders ({@link
 * io.holdfast.manager.exec.ExecDirectories}), the view of the file system ({@link
 * io.holdfast.manager.exec.Sandbox}), the environment and the streams, and then one spawn. It runs
 * on a worker, and knows nothing of states and jobs.
 */
@NullMarked
package io.holdfast.manager.exec;

import org.jspecify.annotations.NullMarked;
