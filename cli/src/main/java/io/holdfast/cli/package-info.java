/**
 * The command {@code holdfast}: its main class, its grammar, and the subcommands about itself.
 * {@link Commands} finds the other subcommands by name. Each is a class, in a package for its
 * heading of the help.
 */
@NullMarked
package io.holdfast.cli;

import org.jspecify.annotations.NullMarked;
