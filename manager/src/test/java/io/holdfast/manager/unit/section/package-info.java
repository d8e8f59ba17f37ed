@NullMarked
package io.holdfast.manager.unit.section;

import org.jspecify.annotations.NullMarked;
