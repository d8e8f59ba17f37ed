/** The units of an fstab(5). */
@NullMarked
package io.holdfast.manager.unit.fstab;

import org.jspecify.annotations.NullMarked;
