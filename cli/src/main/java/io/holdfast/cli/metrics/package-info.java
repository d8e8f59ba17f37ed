/** The metrics of daemons: the socket that serves them, and their text in OpenMetrics. */
@NullMarked
package io.holdfast.cli.metrics;

import org.jspecify.annotations.NullMarked;
