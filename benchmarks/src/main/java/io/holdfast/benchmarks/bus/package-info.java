/**
 * Rows of the message bus, and of the authority on a bus, beside the buses and the authority of
 * others.
 */
@NullMarked
package io.holdfast.benchmarks.bus;

import org.jspecify.annotations.NullMarked;
