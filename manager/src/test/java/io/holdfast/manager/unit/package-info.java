@NullMarked
package io.holdfast.manager.unit;

import org.jspecify.annotations.NullMarked;
