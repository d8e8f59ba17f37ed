/** Coverage-guided fuzzing: one target for each parser of foreign input. */
@NullMarked
package io.holdfast.fuzz;

import org.jspecify.annotations.NullMarked;
