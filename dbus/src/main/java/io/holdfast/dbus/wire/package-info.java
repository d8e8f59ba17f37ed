/**
 * What goes over the wire: messages, names, signatures, match rules, authentication lines. No I/O.
 */
@NullMarked
package io.holdfast.dbus.wire;

import org.jspecify.annotations.NullMarked;
