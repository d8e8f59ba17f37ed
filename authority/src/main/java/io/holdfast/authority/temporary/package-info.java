/** Temporary authorizations: what an authentication leaves behind for a while. */
@NullMarked
package io.holdfast.authority.temporary;

import org.jspecify.annotations.NullMarked;
