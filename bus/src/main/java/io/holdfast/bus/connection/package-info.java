/** The clients of a bus: connections, their names, and the charges for what they hold. */
@NullMarked
package io.holdfast.bus.connection;

import org.jspecify.annotations.NullMarked;
