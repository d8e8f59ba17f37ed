@NullMarked
package io.holdfast.core.linux;

import org.jspecify.annotations.NullMarked;
