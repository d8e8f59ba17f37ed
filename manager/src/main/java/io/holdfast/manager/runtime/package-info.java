/**
 * Units at run time, whatever their kind: the table of loaded units, and how jobs and interfaces
 * see them.
 *
 * <p>A kind of unit is one {@link io.holdfast.manager.runtime.UnitKind}: its row in the registry,
 * which makes a {@link io.holdfast.manager.runtime.ManagedUnit} from a unit file. The packages of
 * the kinds use this package, and never each other.
 */
@NullMarked
package io.holdfast.manager.runtime;

import org.jspecify.annotations.NullMarked;
