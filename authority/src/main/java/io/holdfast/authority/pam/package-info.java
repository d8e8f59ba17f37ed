/** The conversation with PAM: the only place with an upcall. */
@NullMarked
package io.holdfast.authority.pam;

import org.jspecify.annotations.NullMarked;
