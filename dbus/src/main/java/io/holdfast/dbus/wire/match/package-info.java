/** Match rules: which messages a connection wants to see. */
@NullMarked
package io.holdfast.dbus.wire.match;

import org.jspecify.annotations.NullMarked;
