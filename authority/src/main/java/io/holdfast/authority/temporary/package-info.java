/** Temporary authorizations: the result of an authentication that is valid for a while. */
@NullMarked
package io.holdfast.authority.temporary;

import org.jspecify.annotations.NullMarked;
