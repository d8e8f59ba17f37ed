/** The authority engine, and its use from within the same program. */
@NullMarked
package io.holdfast.authority;

import org.jspecify.annotations.NullMarked;
