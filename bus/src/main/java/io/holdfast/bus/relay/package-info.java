/** Bytes and descriptors on their way through the bus: as read, and in the queue of a receiver. */
@NullMarked
package io.holdfast.bus.relay;

import org.jspecify.annotations.NullMarked;
