/** The message broker: its connections, the route of each message, and the driver of the bus. */
@NullMarked
package io.holdfast.bus;

import org.jspecify.annotations.NullMarked;
