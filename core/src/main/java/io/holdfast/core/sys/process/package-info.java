/**
 * The bindings that concern processes: pidfds, waiting, spawning, and what a new process inherits.
 * They follow the rules of {@code io.holdfast.core.sys}, which they build on.
 */
@NullMarked
package io.holdfast.core.sys.process;

import org.jspecify.annotations.NullMarked;
