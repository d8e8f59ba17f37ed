/**
 * Decides who may connect, own names, send and receive. Only decisions: nothing here uses a socket.
 */
@NullMarked
package io.holdfast.bus.policy;

import org.jspecify.annotations.NullMarked;
