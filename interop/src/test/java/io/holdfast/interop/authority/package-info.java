/** Our authority, agents and helper with those of polkit. */
@NullMarked
package io.holdfast.interop.authority;

import org.jspecify.annotations.NullMarked;
