/** Definitions of Varlink interfaces: parsing, printing, and checking values against them. */
@NullMarked
package io.holdfast.varlink.idl;

import org.jspecify.annotations.NullMarked;
