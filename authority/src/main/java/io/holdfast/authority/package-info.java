/** Decisions, and how to ask for them: embedded, over D-Bus and over Varlink. */
@NullMarked
package io.holdfast.authority;

import org.jspecify.annotations.NullMarked;
