/**
 * The bytes of one connection: how it is dialed and authenticated, which bytes are a message and
 * which descriptors came with it, and what waits until the socket takes it.
 */
@NullMarked
package io.holdfast.dbus.stream;

import org.jspecify.annotations.NullMarked;
