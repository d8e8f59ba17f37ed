/**
 * The base of all subcommands: their interface, exit codes, common arguments, and the start of a
 * daemon.
 */
@NullMarked
package io.holdfast.cli.command;

import org.jspecify.annotations.NullMarked;
