/** The bus as a peer: the object org.freedesktop.DBus and its methods. */
@NullMarked
package io.holdfast.bus.driver;

import org.jspecify.annotations.NullMarked;
