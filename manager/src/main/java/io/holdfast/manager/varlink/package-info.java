/** The manager's face over Varlink. */
@NullMarked
package io.holdfast.manager.varlink;

import org.jspecify.annotations.NullMarked;
