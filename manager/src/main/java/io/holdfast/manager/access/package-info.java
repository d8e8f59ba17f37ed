/** Authorization: who may do what. */
@NullMarked
package io.holdfast.manager.access;

import org.jspecify.annotations.NullMarked;
