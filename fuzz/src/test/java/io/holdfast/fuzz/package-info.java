/** Coverage-guided fuzzing: one target for each parser that reads what others wrote. */
@NullMarked
package io.holdfast.fuzz;

import org.jspecify.annotations.NullMarked;
