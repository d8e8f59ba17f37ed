/**
 * The binding of PAM (pam(3)), and the only package with an upcall. It is not exported.
 *
 * <p>Downcalls have the same signature as those of {@code io.holdfast.core.sys}, so that the linker
 * uses one stub for both; only the upcall has a stub of its own.
 */
@NullMarked
package io.holdfast.authority.pam;

import org.jspecify.annotations.NullMarked;
