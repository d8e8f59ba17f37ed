/**
 * Rows of {@code ./holdfast} as it is run: its start, its manager and the whole stack, beside
 * systemd.
 */
@NullMarked
package io.holdfast.benchmarks.stack;

import org.jspecify.annotations.NullMarked;
