/**
 * The frame of the measurements: rows of lines, turns of samples, and the processes and folders
 * that they need.
 *
 * <p>It knows nothing of what is measured.
 */
@NullMarked
package io.holdfast.benchmarks.frame;

import org.jspecify.annotations.NullMarked;
