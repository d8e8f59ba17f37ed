/** The authority's Varlink interface, {@code io.holdfast.Authority}. */
@NullMarked
package io.holdfast.authority.varlink;

import org.jspecify.annotations.NullMarked;
