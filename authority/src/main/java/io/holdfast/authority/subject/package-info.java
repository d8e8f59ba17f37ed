/** Who is asked about: processes by pidfd, their users, sessions and units. */
@NullMarked
package io.holdfast.authority.subject;

import org.jspecify.annotations.NullMarked;
