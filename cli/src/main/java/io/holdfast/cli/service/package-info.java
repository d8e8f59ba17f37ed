/** The subcommands that run a manager and talk to one, and the units of our own stack. */
@NullMarked
package io.holdfast.cli.service;

import org.jspecify.annotations.NullMarked;
