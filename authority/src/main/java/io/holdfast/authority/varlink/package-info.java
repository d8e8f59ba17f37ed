/** The authority's face on Varlink, {@code io.holdfast.Authority}. */
@NullMarked
package io.holdfast.authority.varlink;

import org.jspecify.annotations.NullMarked;
