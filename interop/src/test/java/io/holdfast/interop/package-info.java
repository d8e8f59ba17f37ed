/** Tests with real clients and on other kernels. */
@NullMarked
package io.holdfast.interop;

import org.jspecify.annotations.NullMarked;
