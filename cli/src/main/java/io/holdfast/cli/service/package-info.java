/** The subcommands that are about units: those of a running manager, and unit files. */
@NullMarked
package io.holdfast.cli.service;

import org.jspecify.annotations.NullMarked;
