/**
 * The interpreter, bounded: what scripts may call, and the time and the memory that they may take.
 */
@NullMarked
package io.holdfast.authority.rules.sandbox;

import org.jspecify.annotations.NullMarked;
