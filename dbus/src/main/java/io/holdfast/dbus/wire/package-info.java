/**
 * The wire format: messages, the values in them, names and signatures; in subpackages, match rules
 * and the authentication. No I/O.
 */
@NullMarked
package io.holdfast.dbus.wire;

import org.jspecify.annotations.NullMarked;
