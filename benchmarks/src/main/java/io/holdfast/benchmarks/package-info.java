/**
 * Side-by-side benchmarks: Holdfast, C and the JDK in one run, in turns; and what single operations
 * cost.
 */
@NullMarked
package io.holdfast.benchmarks;

import org.jspecify.annotations.NullMarked;
