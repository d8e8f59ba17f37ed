/** Limits and accounting of cgroups: controllers, attributes, and what a cgroup uses. */
@NullMarked
package io.holdfast.manager.resource;

import org.jspecify.annotations.NullMarked;
