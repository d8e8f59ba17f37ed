/** What the faces see of a unit, fixed at one moment. */
@NullMarked
package io.holdfast.manager.view;

import org.jspecify.annotations.NullMarked;
