/** What holds for all of holdfast-core. */
@NullMarked
package io.holdfast.core;

import org.jspecify.annotations.NullMarked;
