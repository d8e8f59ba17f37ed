/**
 * The bytes of messages: their headers, bodies, names and signatures, read and written where they
 * are. No I/O. Only for our own modules.
 */
@NullMarked
package io.holdfast.dbus.marshal;

import org.jspecify.annotations.NullMarked;
