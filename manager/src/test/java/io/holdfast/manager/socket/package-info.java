@NullMarked
package io.holdfast.manager.socket;

import org.jspecify.annotations.NullMarked;
