/**
 * The interface of rules in JavaScript: their files and limits, their inputs and their verdicts.
 */
@NullMarked
package io.holdfast.authority.rules;

import org.jspecify.annotations.NullMarked;
