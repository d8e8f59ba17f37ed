/** A manager's D-Bus interface: {@code org.freedesktop.systemd1}. */
@NullMarked
package io.holdfast.manager.systemd1;

import org.jspecify.annotations.NullMarked;
