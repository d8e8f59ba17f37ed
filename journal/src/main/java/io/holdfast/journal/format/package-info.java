/** The layout of journal files and their hash functions. Not exported. */
@NullMarked
package io.holdfast.journal.format;

import org.jspecify.annotations.NullMarked;
