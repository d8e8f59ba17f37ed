/** The subjects of decisions: processes held by pidfd, with their users, sessions and units. */
@NullMarked
package io.holdfast.authority.subject;

import org.jspecify.annotations.NullMarked;
