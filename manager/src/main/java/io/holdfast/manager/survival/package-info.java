/**
 * What outlives a manager that is killed: its descriptors, in a store that its keeper holds, and
 * the records of its units.
 */
@NullMarked
package io.holdfast.manager.survival;

import org.jspecify.annotations.NullMarked;
