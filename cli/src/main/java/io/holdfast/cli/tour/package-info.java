/** The tour: shows on a stage of its own what the stack does. */
@NullMarked
package io.holdfast.cli.tour;

import org.jspecify.annotations.NullMarked;
