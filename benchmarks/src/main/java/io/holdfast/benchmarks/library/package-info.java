/**
 * Rows of the library, beside C and the JDK; what is measured runs in JVMs of its own ({@link
 * io.holdfast.benchmarks.library.Subject}).
 */
@NullMarked
package io.holdfast.benchmarks.library;

import org.jspecify.annotations.NullMarked;
