/**
 * Hostile callers against the real daemons of a stack, with the heap and the flags that they ship
 * with: every face by every hostility ({@link io.holdfast.interop.hostility.HostilityMatrixTest}).
 */
@NullMarked
package io.holdfast.interop.hostility;

import org.jspecify.annotations.NullMarked;
