/**
 * Side-by-side benchmarks: Holdfast, C and the JDK in one run, in turns; and the cost of single
 * operations.
 */
@NullMarked
package io.holdfast.benchmarks;

import org.jspecify.annotations.NullMarked;
