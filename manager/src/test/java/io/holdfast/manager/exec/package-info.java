@NullMarked
package io.holdfast.manager.exec;

import org.jspecify.annotations.NullMarked;
