/** The trees of interface definitions, their parser and printer. Only for our own modules. */
@NullMarked
package io.holdfast.varlink.idl.tree;

import org.jspecify.annotations.NullMarked;
