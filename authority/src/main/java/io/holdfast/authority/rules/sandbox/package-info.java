/** The bounded interpreter: the functions that scripts may call, and their time and memory. */
@NullMarked
package io.holdfast.authority.rules.sandbox;

import org.jspecify.annotations.NullMarked;
