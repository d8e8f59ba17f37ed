@NullMarked
package io.holdfast.manager.loop;

import org.jspecify.annotations.NullMarked;
