/** The row of single operations of the hot paths, measured by JMH: time and allocated bytes. */
@NullMarked
package io.holdfast.benchmarks.operations;

import org.jspecify.annotations.NullMarked;
