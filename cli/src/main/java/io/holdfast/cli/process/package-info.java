/** The subcommands that start, describe, watch and signal processes. */
@NullMarked
package io.holdfast.cli.process;

import org.jspecify.annotations.NullMarked;
