/** JSON values, read and written within limits. */
@NullMarked
package io.holdfast.varlink.json;

import org.jspecify.annotations.NullMarked;
