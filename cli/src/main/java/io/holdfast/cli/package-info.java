/**
 * The one command, {@code holdfast}: a class for each subcommand, found by name in {@link
 * Commands}.
 */
@NullMarked
package io.holdfast.cli;

import org.jspecify.annotations.NullMarked;
