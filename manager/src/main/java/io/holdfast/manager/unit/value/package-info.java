/**
 * The values of directives, such as time spans, commands, addresses and conditions, and their
 * evaluation.
 */
@NullMarked
package io.holdfast.manager.unit.value;

import org.jspecify.annotations.NullMarked;
