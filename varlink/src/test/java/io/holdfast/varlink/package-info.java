@NullMarked
package io.holdfast.varlink;

import org.jspecify.annotations.NullMarked;
