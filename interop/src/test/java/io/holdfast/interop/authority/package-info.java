/** Our authority, agents and helper together with those of polkit. */
@NullMarked
package io.holdfast.interop.authority;

import org.jspecify.annotations.NullMarked;
