/**
 * Processes that are ended together with all that they start.
 *
 * <pre>{@code
 * try (ProcessScope scope = ProcessScope.open()) {
 *     Child make = scope.start(Spawn.of("make", "-j8"));
 *     Exit exit = make.await();
 * } // whatever make left behind is gone here
 * }</pre>
 *
 * <p>{@link io.holdfast.core.scope.ProcessScope} is the entry; {@link
 * io.holdfast.core.scope.Guarantee} says what a scope promises at this place.
 */
@NullMarked
package io.holdfast.core.scope;

import org.jspecify.annotations.NullMarked;
