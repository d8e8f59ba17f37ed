/**
 * Units: their names and types, their dependencies, and the diagnostics about their files.
 *
 * <p>The packages below read unit files without side effects, from bytes and folders to immutable
 * typed units, with every problem named by file and line: {@link
 * io.holdfast.manager.unit.file.LoadPath} (where) → {@link
 * io.holdfast.manager.unit.file.UnitLoader} (which files make up a name) → {@link
 * io.holdfast.manager.unit.file.UnitSource} (those files, parsed as {@link
 * io.holdfast.manager.unit.file.UnitFile}) → {@link io.holdfast.manager.unit.section.UnitReader}
 * (their meaning) → {@link io.holdfast.manager.unit.section.Unit}.
 *
 * <p>Nothing in them starts a process, and no bytes of a unit file make them throw: a broken line
 * costs that line (or the unit, where systemd gives the unit up too) and yields a {@link
 * io.holdfast.manager.unit.Diagnostic}.
 */
@NullMarked
package io.holdfast.manager.unit;

import org.jspecify.annotations.NullMarked;
