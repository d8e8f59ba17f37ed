@NullMarked
package io.holdfast.manager.notify;

import org.jspecify.annotations.NullMarked;
