/**
 * What will not work of units, found before they are started: {@link
 * io.holdfast.manager.verify.UnitVerifier}.
 */
@NullMarked
package io.holdfast.manager.verify;

import org.jspecify.annotations.NullMarked;
