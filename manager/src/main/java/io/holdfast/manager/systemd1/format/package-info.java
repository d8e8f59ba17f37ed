/** Names, errors, times and texts as they appear on the bus. */
@NullMarked
package io.holdfast.manager.systemd1.format;

import org.jspecify.annotations.NullMarked;
