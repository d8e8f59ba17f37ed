/**
 * The conversation with PAM (pam(3)), and the only place with an upcall. Nothing of it is exported.
 *
 * <p>Plain calls have the same shape as those of {@code io.holdfast.core.sys}, so that the linker's
 * stub serves both; only the conversation has one of its own.
 */
@NullMarked
package io.holdfast.authority.pam;

import org.jspecify.annotations.NullMarked;
