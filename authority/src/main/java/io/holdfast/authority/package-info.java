/** The engine that decides, and its faces: embedded, on D-Bus and on Varlink. */
@NullMarked
package io.holdfast.authority;

import org.jspecify.annotations.NullMarked;
