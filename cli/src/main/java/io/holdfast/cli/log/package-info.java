/** The subcommands about logs: reading them, and the daemon that receives them. */
@NullMarked
package io.holdfast.cli.log;

import org.jspecify.annotations.NullMarked;
