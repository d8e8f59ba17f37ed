/** Snapshots of units for the interfaces of the manager. */
@NullMarked
package io.holdfast.manager.view;

import org.jspecify.annotations.NullMarked;
