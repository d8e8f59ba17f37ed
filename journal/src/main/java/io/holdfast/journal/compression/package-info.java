/** The compression libraries of the system, bound at their first use. Not exported. */
@NullMarked
package io.holdfast.journal.compression;

import org.jspecify.annotations.NullMarked;
