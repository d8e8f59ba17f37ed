@NullMarked
package io.holdfast.manager.verify;

import org.jspecify.annotations.NullMarked;
