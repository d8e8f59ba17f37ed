/**
 * Authentication before the first message, by lines of text: both sides of {@code EXTERNAL}, {@code
 * ANONYMOUS} and the negotiation of descriptors, as bytes in and bytes out. No I/O.
 */
@NullMarked
package io.holdfast.dbus.wire.sasl;

import org.jspecify.annotations.NullMarked;
