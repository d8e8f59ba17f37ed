/** D-Bus for programs: addresses, connections, exported objects. */
@NullMarked
package io.holdfast.dbus;

import org.jspecify.annotations.NullMarked;
