/** Slices at run time: units that group the cgroups of other units. */
@NullMarked
package io.holdfast.manager.slice;

import org.jspecify.annotations.NullMarked;
