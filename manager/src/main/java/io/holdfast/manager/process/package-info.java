/** The processes of units: in a cgroup, or tracked by their pidfds; and orphans of no unit. */
@NullMarked
package io.holdfast.manager.process;

import org.jspecify.annotations.NullMarked;
