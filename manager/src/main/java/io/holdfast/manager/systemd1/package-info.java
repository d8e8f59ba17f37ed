/** A manager's face on D-Bus: {@code org.freedesktop.systemd1}. */
@NullMarked
package io.holdfast.manager.systemd1;

import org.jspecify.annotations.NullMarked;
