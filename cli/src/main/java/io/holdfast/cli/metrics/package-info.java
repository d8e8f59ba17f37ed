/**
 * The metrics of daemons: the socket that serves them, and their text. Only this package uses the
 * library that writes the text. The classes of the library are loaded at the first request.
 */
@NullMarked
package io.holdfast.cli.metrics;

import org.jspecify.annotations.NullMarked;
