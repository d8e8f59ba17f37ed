/** Settings that several types of units share: execution, sandbox, cgroup, kill, end. */
@NullMarked
package io.holdfast.manager.unit.settings;

import org.jspecify.annotations.NullMarked;
