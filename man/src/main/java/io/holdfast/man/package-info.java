/** Writes the manual pages in Asciidoc. Runs only during the build. */
@NullMarked
package io.holdfast.man;

import org.jspecify.annotations.NullMarked;
