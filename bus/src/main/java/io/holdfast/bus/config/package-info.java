/** The configuration of a bus as immutable records, and the reader of busconfig XML. */
@NullMarked
package io.holdfast.bus.config;

import org.jspecify.annotations.NullMarked;
