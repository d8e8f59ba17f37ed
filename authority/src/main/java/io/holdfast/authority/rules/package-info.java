/** Rules in JavaScript, and what they may see. */
@NullMarked
package io.holdfast.authority.rules;

import org.jspecify.annotations.NullMarked;
