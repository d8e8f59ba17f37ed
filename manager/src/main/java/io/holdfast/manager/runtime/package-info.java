/**
 * Units at run time, whatever their kind: the table of what is loaded, and what jobs and faces see
 * of it.
 *
 * <p>A kind of unit is one {@link io.holdfast.manager.runtime.UnitKind}: its row in the registry,
 * with what makes a {@link io.holdfast.manager.runtime.ManagedUnit} of a unit file. The packages of
 * the kinds use this one, and never each other.
 */
@NullMarked
package io.holdfast.manager.runtime;

import org.jspecify.annotations.NullMarked;
