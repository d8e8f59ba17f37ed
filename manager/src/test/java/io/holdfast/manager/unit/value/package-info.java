@NullMarked
package io.holdfast.manager.unit.value;

import org.jspecify.annotations.NullMarked;
