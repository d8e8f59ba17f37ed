/** Actions and their defaults, as policy files declare them. */
@NullMarked
package io.holdfast.authority.action;

import org.jspecify.annotations.NullMarked;
