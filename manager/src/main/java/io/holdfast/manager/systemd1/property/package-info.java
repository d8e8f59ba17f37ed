/** What the D-Bus objects show: their properties, paths and errors. */
@NullMarked
package io.holdfast.manager.systemd1.property;

import org.jspecify.annotations.NullMarked;
