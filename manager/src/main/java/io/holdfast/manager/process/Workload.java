package io.holdfast.manager.process;

import io.holdfast.core.process.CgroupPath;
import io.holdfast.manager.unit.UnitName;

/**
 * One run of a unit, which has a cgroup of its own.
 *
 * @param invocationId 32 hexadecimal digits
 * @param cgroup as the manager sees it
 */
public record Workload(UnitName unit, String invocationId, UnitName slice, CgroupPath cgroup) {}
