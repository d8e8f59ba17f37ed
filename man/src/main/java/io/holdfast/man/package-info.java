/** Writes the manual pages in Asciidoc while they are built; nothing of it runs later. */
@NullMarked
package io.holdfast.man;

import org.jspecify.annotations.NullMarked;
