/** Who may connect, own names, send and receive. Decisions only: nothing here knows a socket. */
@NullMarked
package io.holdfast.bus.policy;

import org.jspecify.annotations.NullMarked;
