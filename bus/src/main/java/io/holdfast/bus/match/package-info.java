/** Finds the connections whose match rules a message fits. */
@NullMarked
package io.holdfast.bus.match;

import org.jspecify.annotations.NullMarked;
