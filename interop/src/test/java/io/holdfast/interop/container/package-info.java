/** The stack as PID 1 of a container of a common runtime. */
@NullMarked
package io.holdfast.interop.container;

import org.jspecify.annotations.NullMarked;
