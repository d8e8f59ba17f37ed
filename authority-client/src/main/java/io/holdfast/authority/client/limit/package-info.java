/** The limits of this module, which {@code holdfast doctor} lists. */
@NullMarked
package io.holdfast.authority.client.limit;

import org.jspecify.annotations.NullMarked;
