/** The description of units by callers: D-Bus properties, which become lines of a unit file. */
@NullMarked
package io.holdfast.manager.systemd1.setting;

import org.jspecify.annotations.NullMarked;
