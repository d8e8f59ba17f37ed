/** The subcommands that run a manager or talk to one, and the units of Holdfast's own stack. */
@NullMarked
package io.holdfast.cli.service;

import org.jspecify.annotations.NullMarked;
