/** What callers describe units with: properties over D-Bus, which become lines of a unit file. */
@NullMarked
package io.holdfast.manager.systemd1.setting;

import org.jspecify.annotations.NullMarked;
