/** The processes of units: in a cgroup, or tracked by their descriptors; and those of none. */
@NullMarked
package io.holdfast.manager.process;

import org.jspecify.annotations.NullMarked;
