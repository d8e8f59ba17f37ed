/** The subcommands that run a message bus and call objects on one. */
@NullMarked
package io.holdfast.cli.bus;

import org.jspecify.annotations.NullMarked;
