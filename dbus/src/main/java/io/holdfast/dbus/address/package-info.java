/**
 * Where a bus is: addresses as D-Bus writes them, and the sockets that listen on them. Knows
 * nothing of messages.
 */
@NullMarked
package io.holdfast.dbus.address;

import org.jspecify.annotations.NullMarked;
