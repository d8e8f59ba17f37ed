/** Evaluates rules: on evaluator threads, on trial, or by static analysis. */
@NullMarked
package io.holdfast.authority.rules.engine;

import org.jspecify.annotations.NullMarked;
