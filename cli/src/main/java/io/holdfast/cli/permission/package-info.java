/** The subcommands that run and ask an authority, write its rules, and answer its dialogs. */
@NullMarked
package io.holdfast.cli.permission;

import org.jspecify.annotations.NullMarked;
