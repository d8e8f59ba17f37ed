/** What evaluates rules: on threads of their own, on trial, or by reading alone. */
@NullMarked
package io.holdfast.authority.rules.engine;

import org.jspecify.annotations.NullMarked;
