/**
 * Java values as D-Bus values and back: a {@code WireType} for each type. Not exported; knows
 * nothing of interfaces and their annotations.
 */
@NullMarked
package io.holdfast.dbus.typed.value;

import org.jspecify.annotations.NullMarked;
