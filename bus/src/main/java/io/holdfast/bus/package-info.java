/** The message broker. */
@NullMarked
package io.holdfast.bus;

import org.jspecify.annotations.NullMarked;
