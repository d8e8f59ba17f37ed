/**
 * Authentication before the first message, by lines of text: both sides of {@code EXTERNAL}, {@code
 * ANONYMOUS} and what may follow, as bytes in and bytes out. No I/O.
 */
@NullMarked
package io.holdfast.dbus.wire.sasl;

import org.jspecify.annotations.NullMarked;
