/**
 * The row of single operations of the hot paths, by JMH: what one costs in time and in allocated
 * bytes.
 */
@NullMarked
package io.holdfast.benchmarks.operations;

import org.jspecify.annotations.NullMarked;
