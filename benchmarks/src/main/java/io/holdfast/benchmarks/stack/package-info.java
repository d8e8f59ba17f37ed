/**
 * Rows of {@code ./holdfast} in real use: its start, its manager and the whole stack, beside
 * systemd.
 */
@NullMarked
package io.holdfast.benchmarks.stack;

import org.jspecify.annotations.NullMarked;
