/** Descriptions of Varlink interfaces: parsed, printed, and held against values. */
@NullMarked
package io.holdfast.varlink.idl;

import org.jspecify.annotations.NullMarked;
