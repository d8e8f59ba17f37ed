/** Sockets: they listen, and start a service for who comes. */
@NullMarked
package io.holdfast.manager.socket;

import org.jspecify.annotations.NullMarked;
