/** Callers of the interface: their connections, processes, permissions and references. */
@NullMarked
package io.holdfast.manager.systemd1.caller;

import org.jspecify.annotations.NullMarked;
