/** Calls the methods of a Varlink service. */
@NullMarked
package io.holdfast.varlink.client;

import org.jspecify.annotations.NullMarked;
