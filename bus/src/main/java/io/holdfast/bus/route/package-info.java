/** How messages reach their receivers: by name, by match rule, to monitors, from the bus itself. */
@NullMarked
package io.holdfast.bus.route;

import org.jspecify.annotations.NullMarked;
