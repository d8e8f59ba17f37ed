/** The transports of addresses, and the sockets of a bus that listens. Only for our own modules. */
@NullMarked
package io.holdfast.dbus.address.transport;

import org.jspecify.annotations.NullMarked;
