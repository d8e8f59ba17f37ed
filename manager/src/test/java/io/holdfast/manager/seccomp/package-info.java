@NullMarked
package io.holdfast.manager.seccomp;

import org.jspecify.annotations.NullMarked;
