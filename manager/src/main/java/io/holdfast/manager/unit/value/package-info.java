/**
 * The values of directives: time spans, commands, addresses, conditions, and what they are checked
 * by.
 */
@NullMarked
package io.holdfast.manager.unit.value;

import org.jspecify.annotations.NullMarked;
