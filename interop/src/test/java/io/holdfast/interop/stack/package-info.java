/** The whole stack: manager, bus, authority, helper and agent, each in a separate process. */
@NullMarked
package io.holdfast.interop.stack;

import org.jspecify.annotations.NullMarked;
