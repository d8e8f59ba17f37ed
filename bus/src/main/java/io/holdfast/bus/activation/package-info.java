/** Starts a service for a message to a name that nobody owns; the message waits meanwhile. */
@NullMarked
package io.holdfast.bus.activation;

import org.jspecify.annotations.NullMarked;
