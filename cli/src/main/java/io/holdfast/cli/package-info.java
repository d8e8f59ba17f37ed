/**
 * The one command, {@code holdfast}: its main class, its grammar, and the subcommands about itself.
 * The others are found by name in {@link Commands}, a class each, in a package for each heading of
 * the help.
 */
@NullMarked
package io.holdfast.cli;

import org.jspecify.annotations.NullMarked;
