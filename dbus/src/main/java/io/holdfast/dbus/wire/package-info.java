/**
 * What goes over the wire: messages, the values in them, names and signatures; in packages below,
 * match rules and the authentication. No I/O.
 */
@NullMarked
package io.holdfast.dbus.wire;

import org.jspecify.annotations.NullMarked;
