/** Messages and the values in them. */
@NullMarked
package io.holdfast.dbus.wire;

import org.jspecify.annotations.NullMarked;
