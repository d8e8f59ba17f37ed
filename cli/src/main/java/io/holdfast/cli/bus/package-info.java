/** The subcommands that run a message bus, and generate Java interfaces for D-Bus interfaces. */
@NullMarked
package io.holdfast.cli.bus;

import org.jspecify.annotations.NullMarked;
