/**
 * Rows of the message bus, and of the authority on a bus, beside the reference buses and polkitd.
 */
@NullMarked
package io.holdfast.benchmarks.bus;

import org.jspecify.annotations.NullMarked;
