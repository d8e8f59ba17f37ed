/** The addresses of buses, and the sockets that listen on them. Independent of messages. */
@NullMarked
package io.holdfast.dbus.address;

import org.jspecify.annotations.NullMarked;
