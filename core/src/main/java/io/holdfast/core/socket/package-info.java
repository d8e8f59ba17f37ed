/** AF_UNIX sockets that pass descriptors and know who is at the other end. */
@NullMarked
package io.holdfast.core.socket;

import org.jspecify.annotations.NullMarked;
