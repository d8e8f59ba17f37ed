/** Frames and messages on a connection, for client and server. */
@NullMarked
package io.holdfast.varlink.wire;

import org.jspecify.annotations.NullMarked;
