/** The credentials that a child takes on by setpriv(1), between its spawn and its program. */
@NullMarked
package io.holdfast.core.process.privilege;

import org.jspecify.annotations.NullMarked;
