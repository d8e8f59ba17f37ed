/**
 * What follows from changes of units, requested or not: units start and stop each other, pass
 * descriptors, and end the manager.
 */
@NullMarked
package io.holdfast.manager.reaction;

import org.jspecify.annotations.NullMarked;
