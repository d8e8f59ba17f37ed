/** AF_UNIX sockets that pass descriptors and identify their peers. */
@NullMarked
package io.holdfast.core.socket;

import org.jspecify.annotations.NullMarked;
