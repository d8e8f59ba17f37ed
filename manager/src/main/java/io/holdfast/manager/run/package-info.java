/**
 * The runs of a unit's commands, whatever the type of the unit: their processes, channels and
 * control commands, and the signals that end them.
 */
@NullMarked
package io.holdfast.manager.run;

import org.jspecify.annotations.NullMarked;
