@NullMarked
package io.holdfast.core.socket;

import org.jspecify.annotations.NullMarked;
