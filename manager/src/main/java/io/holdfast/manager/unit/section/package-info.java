/** Typed sections of unit files, and the units that consist of them. */
@NullMarked
package io.holdfast.manager.unit.section;

import org.jspecify.annotations.NullMarked;
