/**
 * Conversion of Java values to D-Bus values and back: a {@code WireType} for each type. Not
 * exported; does not depend on interfaces and their annotations.
 */
@NullMarked
package io.holdfast.dbus.typed.value;

import org.jspecify.annotations.NullMarked;
