/**
 * Units at run time, whatever their type: the table of loaded units, and how jobs and interfaces
 * see them.
 *
 * <p>The registry {@link io.holdfast.manager.runtime.UnitKinds} has one row for each type of unit,
 * which makes a {@link io.holdfast.manager.runtime.ManagedUnit} from a unit file. The packages of
 * the types use this package, and never each other.
 */
@NullMarked
package io.holdfast.manager.runtime;

import org.jspecify.annotations.NullMarked;
