@NullMarked
package io.holdfast.dbus.marshal;

import org.jspecify.annotations.NullMarked;
