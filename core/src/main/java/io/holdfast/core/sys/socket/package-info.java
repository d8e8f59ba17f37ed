/**
 * The bindings of sockets: their calls, options, names and ancillary data, and what the kernel says
 * about sockets and network devices. They follow the rules of {@code io.holdfast.core.sys}, which
 * they build on.
 */
@NullMarked
package io.holdfast.core.sys.socket;

import org.jspecify.annotations.NullMarked;
