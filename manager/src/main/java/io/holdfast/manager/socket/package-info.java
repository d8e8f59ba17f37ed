/** Sockets: they listen, and start a service for their clients. */
@NullMarked
package io.holdfast.manager.socket;

import org.jspecify.annotations.NullMarked;
