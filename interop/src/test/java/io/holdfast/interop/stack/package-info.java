/** The whole stack: manager, bus, authority, helper and agent, each a process of its own. */
@NullMarked
package io.holdfast.interop.stack;

import org.jspecify.annotations.NullMarked;
