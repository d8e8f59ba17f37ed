/** The properties, paths and errors of the D-Bus objects. */
@NullMarked
package io.holdfast.manager.systemd1.property;

import org.jspecify.annotations.NullMarked;
