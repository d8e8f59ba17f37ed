/**
 * What every subcommand is made of: its interface, exit codes, common arguments, a daemon's start.
 */
@NullMarked
package io.holdfast.cli.command;

import org.jspecify.annotations.NullMarked;
