/** Text of other users, in a form that is safe for terminals and logs. */
@NullMarked
package io.holdfast.core.text;

import org.jspecify.annotations.NullMarked;
