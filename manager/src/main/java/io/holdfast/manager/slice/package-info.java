/** Slices at run time: what holds the cgroups of other units together. */
@NullMarked
package io.holdfast.manager.slice;

import org.jspecify.annotations.NullMarked;
