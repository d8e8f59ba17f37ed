/** Timer units: the wait for points in time, and the start of the unit that they trigger. */
@NullMarked
package io.holdfast.manager.timer;

import org.jspecify.annotations.NullMarked;
