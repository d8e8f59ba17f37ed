/**
 * Which units are enabled, and the changes of that: the links that {@code systemctl enable} and its
 * relatives make and remove.
 */
@NullMarked
package io.holdfast.manager.unit.install;

import org.jspecify.annotations.NullMarked;
