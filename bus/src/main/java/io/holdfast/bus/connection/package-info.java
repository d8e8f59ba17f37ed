/** The clients of a bus: connections, the names that they own, and what they are charged for. */
@NullMarked
package io.holdfast.bus.connection;

import org.jspecify.annotations.NullMarked;
