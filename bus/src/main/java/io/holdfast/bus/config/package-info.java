/** The files that configure a bus, as immutable records: busconfig XML and service files. */
@NullMarked
package io.holdfast.bus.config;

import org.jspecify.annotations.NullMarked;
