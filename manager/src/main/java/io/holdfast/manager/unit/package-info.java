/**
 * Unit files, read without side effects: from bytes and folders to immutable typed units, with
 * every problem named by file and line.
 *
 * <p>The way through: {@link io.holdfast.manager.unit.LoadPath} (where) → {@link
 * io.holdfast.manager.unit.UnitLoader} (which files make up a name) → {@link
 * io.holdfast.manager.unit.UnitSource} (those files, parsed as {@link
 * io.holdfast.manager.unit.UnitFile}) → {@link io.holdfast.manager.unit.UnitReader} (what they
 * mean) → {@link io.holdfast.manager.unit.Unit}.
 *
 * <p>Nothing in this package starts a process, and no bytes of a unit file make it throw: a broken
 * line costs that line (or the unit, where systemd gives the unit up too) and yields a {@link
 * io.holdfast.manager.unit.Diagnostic}.
 */
@NullMarked
package io.holdfast.manager.unit;

import org.jspecify.annotations.NullMarked;
