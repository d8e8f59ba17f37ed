/** Calendar expressions, and the times at which they elapse. */
@NullMarked
package io.holdfast.manager.unit.calendar;

import org.jspecify.annotations.NullMarked;
