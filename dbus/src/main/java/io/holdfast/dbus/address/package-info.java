/**
 * Where a bus is: addresses as D-Bus writes them, what is dialed and what is listened on. Knows
 * nothing of messages.
 */
@NullMarked
package io.holdfast.dbus.address;

import org.jspecify.annotations.NullMarked;
