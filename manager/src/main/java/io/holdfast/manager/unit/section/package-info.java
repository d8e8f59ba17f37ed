/** The sections of unit files, typed, and the units that they make up. */
@NullMarked
package io.holdfast.manager.unit.section;

import org.jspecify.annotations.NullMarked;
