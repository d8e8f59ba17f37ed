@NullMarked
package io.holdfast.manager.log;

import org.jspecify.annotations.NullMarked;
