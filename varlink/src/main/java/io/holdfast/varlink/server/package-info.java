/** A server for Varlink interfaces; each call knows its peer. */
@NullMarked
package io.holdfast.varlink.server;

import org.jspecify.annotations.NullMarked;
