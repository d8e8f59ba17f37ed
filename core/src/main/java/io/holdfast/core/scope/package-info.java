/**
 * Processes that are ended together with all their descendants.
 *
 * <pre>{@code
 * try (ProcessScope scope = ProcessScope.open()) {
 *     Child make = scope.start(Spawn.of("make", "-j8"));
 *     Exit exit = make.await();
 * } // whatever make left behind is gone here
 * }</pre>
 *
 * <p>{@link io.holdfast.core.scope.ProcessScope} is the entry point; {@link
 * io.holdfast.core.scope.Guarantee} describes what a scope guarantees in this environment.
 */
@NullMarked
package io.holdfast.core.scope;

import org.jspecify.annotations.NullMarked;
