@NullMarked
package io.holdfast.core.process;

import org.jspecify.annotations.NullMarked;
