@NullMarked
package io.holdfast.manager.timer;

import org.jspecify.annotations.NullMarked;
