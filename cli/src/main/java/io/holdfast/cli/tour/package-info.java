/** The tour, which shows with a private manager and authority what the stack does. */
@NullMarked
package io.holdfast.cli.tour;

import org.jspecify.annotations.NullMarked;
