@NullMarked
package io.holdfast.manager.unit.file;

import org.jspecify.annotations.NullMarked;
