/** What several kinds of units have in common: surroundings, sandbox, cgroup, kill, end. */
@NullMarked
package io.holdfast.manager.unit.settings;

import org.jspecify.annotations.NullMarked;
