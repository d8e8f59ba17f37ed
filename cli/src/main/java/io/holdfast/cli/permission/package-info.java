/**
 * The subcommands that run an authority, query it, check and test its rules, and show its dialogs.
 */
@NullMarked
package io.holdfast.cli.permission;

import org.jspecify.annotations.NullMarked;
