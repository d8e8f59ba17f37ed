/** The manager's Varlink interface. */
@NullMarked
package io.holdfast.manager.varlink;

import org.jspecify.annotations.NullMarked;
