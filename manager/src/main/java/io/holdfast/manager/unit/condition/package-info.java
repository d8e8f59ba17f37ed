/**
 * The conditions and assertions of units, after systemd.unit(5). {@link
 * io.holdfast.manager.unit.condition.ConditionTable} has one row for each: the directives that are
 * known are the keys of that table, so a condition that is known is evaluated.
 */
@NullMarked
package io.holdfast.manager.unit.condition;

import org.jspecify.annotations.NullMarked;
