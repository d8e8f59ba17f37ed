@NullMarked
package io.holdfast.manager.runtime;

import org.jspecify.annotations.NullMarked;
