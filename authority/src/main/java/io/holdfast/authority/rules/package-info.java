/**
 * Rules in JavaScript from outside: their files and limits, what is asked, and what they answer.
 */
@NullMarked
package io.holdfast.authority.rules;

import org.jspecify.annotations.NullMarked;
