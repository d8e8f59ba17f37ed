/**
 * Rows of the library, beside C and the JDK; the measured code runs in separate JVMs ({@link
 * io.holdfast.benchmarks.library.LibrarySubject}).
 */
@NullMarked
package io.holdfast.benchmarks.library;

import org.jspecify.annotations.NullMarked;
