/** Starts a service for a message to a name without an owner; the message waits meanwhile. */
@NullMarked
package io.holdfast.bus.activation;

import org.jspecify.annotations.NullMarked;
