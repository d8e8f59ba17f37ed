/** Jobs of units, as others see them. */
@NullMarked
package io.holdfast.manager.job;

import org.jspecify.annotations.NullMarked;
