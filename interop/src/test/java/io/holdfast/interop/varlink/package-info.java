/** The certification of Varlink implementations, against that of another language. */
@NullMarked
package io.holdfast.interop.varlink;

import org.jspecify.annotations.NullMarked;
