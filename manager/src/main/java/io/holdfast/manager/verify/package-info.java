/**
 * Finds problems of units before they are started: {@link io.holdfast.manager.verify.UnitVerifier}.
 */
@NullMarked
package io.holdfast.manager.verify;

import org.jspecify.annotations.NullMarked;
